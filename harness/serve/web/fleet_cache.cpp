#include "harness/serve/web/fleet_cache.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "harness/common/error.hpp"
#include "harness/common/poll_until.hpp"
#include "harness/serve/web/web_json.hpp"

namespace pgrehearse {

namespace {

std::string key_of(const SchedulerSnapshot& snapshot) {
  std::string key = fmt::format("{} {}", snapshot.stopping, snapshot.errors.size());
  for (const auto& scenario : snapshot.scenarios) {
    key += fmt::format("; {} {} {} {}", scenario.name,
                       scenario.next_start ? to_iso8601(*scenario.next_start) : "",
                       scenario.running ? scenario.running->run_id : "", scenario.waiting_for);
  }
  return key;
}

}  // namespace

FleetCache::FleetCache(Parts parts) : parts_(std::move(parts)) {
  refresher_ = std::jthread([this](const std::stop_token& stop) {
    std::chrono::nanoseconds pause{0};
    do {
      const auto began = std::chrono::steady_clock::now();
      refresh();
      // A large ledger on a busy host must not be read all the time.
      const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - began;
      pause = std::max<std::chrono::nanoseconds>(parts_.interval, took * 4);
    } while (wait_for(pause, stop));
  });
}

FleetFacts FleetCache::read_facts(const std::optional<std::string>& stanza) {
  auto facts = with_ledger([&](Ledger& ledger) {
    return FleetFacts{.now = parts_.now(),
                      .points = ledger.trend({.stanza = stanza}),
                      .newest = ledger.newest_finished_of_each_scenario(),
                      .newest_pass = ledger.newest_pass_of_each_scenario(),
                      .running = ledger.running(),
                      .coverage = ledger.coverage(stanza),
                      .backups = {},
                      .scheduler = {}};
  });
  facts.backups = parts_.maps.stored_backups();
  if (parts_.control != nullptr) facts.scheduler = parts_.control->snapshot();
  return facts;
}

void FleetCache::refresh() {
  std::string fleet;
  std::string error;
  try {
    auto state = parts_.control == nullptr ? "" : key_of(parts_.control->snapshot());
    state +=
        fmt::format("; {}", with_ledger([](Ledger& ledger) { return ledger.last_sequence(); }));
    {
      const std::lock_guard lock(mutex_);
      const bool same = !was_read_ && state == state_;
      if (same && !fleet_.empty() && fleet_error_.empty()) return;
      state_ = std::move(state);
    }
    fleet = text_of(fleet_json(read_facts({})));
  } catch (const std::exception& failure) {
    error = failure.what();
  }
  const std::lock_guard lock(mutex_);
  if (!error.empty() && error != fleet_error_) spdlog::error("web: the ledger: {}", error);
  fleet_error_ = std::move(error);
  if (fleet_error_.empty()) fleet_ = std::move(fleet);
  was_read_ = false;
  read_once_.notify_all();
  malloc_trim(0);  // of a large ledger that was read
}

void FleetCache::wait_for_first() {
  constexpr std::chrono::seconds timeout{60};
  std::unique_lock lock(mutex_);
  read_once_.wait_for(lock, timeout, [this] { return !fleet_.empty() || !fleet_error_.empty(); });
  if (!fleet_.empty() && fleet_error_.empty()) return;
  throw Error(ErrorKind::environment, "the ledger cannot be read: " + fleet_error_,
              "see the log of pgrehearse serve");
}

std::string FleetCache::fleet() {
  wait_for_first();
  const std::lock_guard lock(mutex_);
  was_read_ = true;
  return fleet_;
}

std::optional<std::string> FleetCache::stanza(const std::string& name) {
  const auto json = stanza_json(read_facts(name), name);
  return json.is_null() ? std::nullopt : std::optional(text_of(json));
}

}  // namespace pgrehearse
