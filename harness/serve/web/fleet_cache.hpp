// The ledger as the pages see it. One connection for all requests; the whole ledger is read only
// when a drill has started or ended, and ahead of requests. Does next to nothing while nobody
// looks. Thread-safe.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "harness/history/ledger.hpp"
#include "harness/serve/drill_control.hpp"
#include "harness/serve/web/fleet_json.hpp"
#include "harness/serve/web/map_source.hpp"

namespace pgrehearse {

class FleetCache {
 public:
  struct Parts {
    std::function<std::unique_ptr<Ledger>()> open_ledger;
    const DrillControl* control = nullptr;  // nullptr: nothing is scheduled
    const MapSource& maps;
    std::function<Instant()> now;
    std::chrono::milliseconds interval{5000};
  };
  explicit FleetCache(Parts parts);

  // JSON. Throw Error.
  [[nodiscard]] std::string fleet();
  [[nodiscard]] std::optional<std::string> stanza(const std::string& name);

  // Calls `use` with the ledger, which no other request uses meanwhile.
  template <typename Use>
  auto with_ledger(Use use) {
    const std::lock_guard lock(ledger_mutex_);
    if (!ledger_) ledger_ = parts_.open_ledger();
    try {
      return use(*ledger_);
    } catch (...) {
      ledger_.reset();  // a lost connection is opened again
      throw;
    }
  }

 private:
  // Returns whether anything has changed.
  bool read_ledger();
  void refresh();
  // The stored facts with the present state of the scheduler.
  [[nodiscard]] FleetFacts current_facts();
  void wait_for_first();

  Parts parts_;
  std::mutex ledger_mutex_;
  std::unique_ptr<Ledger> ledger_;

  std::mutex mutex_;
  std::condition_variable read_once_;
  FleetFacts facts_;
  std::string scheduled_;  // the state of the scheduler that fleet_ shows
  std::string newest_;     // what the facts were read for; changes with every drill
  std::string fleet_;      // empty: not computed yet
  bool was_read_ = false;  // fleet_, since it was computed
  std::string fleet_error_;
  std::jthread refresher_;
};

}  // namespace pgrehearse
