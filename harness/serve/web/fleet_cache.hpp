// The ledger as the pages see it. One connection for all requests; the page of all stanzas is
// computed ahead of requests: when a drill has started or ended, and regularly while somebody
// looks. Does next to nothing while nobody does. Thread-safe.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
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
  void refresh();
  // Of all stanzas, or what the page of one needs.
  [[nodiscard]] FleetFacts read_facts(const std::optional<std::string>& stanza);
  void wait_for_first();

  Parts parts_;
  std::mutex ledger_mutex_;
  std::unique_ptr<Ledger> ledger_;

  std::mutex mutex_;
  std::condition_variable read_once_;
  std::string state_;      // of the scheduler and of the ledger when fleet_ was computed
  std::string fleet_;      // empty: not computed yet
  bool was_read_ = false;  // fleet_, since it was computed
  std::string fleet_error_;
  std::jthread refresher_;
};

}  // namespace pgrehearse
