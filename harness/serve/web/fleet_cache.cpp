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

bool FleetCache::read_ledger() {
  return with_ledger([&](Ledger& ledger) {
    const auto newest = ledger.newest({});
    const auto key =
        fmt::format("{} {} {} {}", ledger.count(), ledger.count({.state = DrillState::running}),
                    newest ? newest->id : "", newest ? name_of(newest->state) : "");
    {
      const std::lock_guard lock(mutex_);
      if (key == newest_) return false;
    }
    FleetFacts facts{.points = ledger.trend({}),
                     .newest = ledger.newest_finished_of_each_scenario(),
                     .newest_pass = ledger.newest_pass_of_each_scenario(),
                     .running = ledger.running(),
                     .coverage = ledger.coverage()};
    const std::lock_guard lock(mutex_);
    facts_ = std::move(facts);
    newest_ = key;
    return true;
  });
}

FleetFacts FleetCache::current_facts() {
  auto backups = parts_.maps.stored_backups();
  auto scheduler =
      parts_.control == nullptr ? std::nullopt : std::optional(parts_.control->snapshot());
  const std::lock_guard lock(mutex_);
  auto facts = facts_;
  facts.now = parts_.now();
  facts.backups = std::move(backups);
  facts.scheduler = std::move(scheduler);
  return facts;
}

void FleetCache::refresh() {
  std::string fleet;
  std::string error;
  try {
    const bool changed = read_ledger();
    auto scheduled = parts_.control == nullptr ? "" : key_of(parts_.control->snapshot());
    {
      const std::lock_guard lock(mutex_);
      const bool same = !changed && !was_read_ && scheduled == scheduled_;
      if (same && !fleet_.empty() && fleet_error_.empty()) return;
      scheduled_ = std::move(scheduled);
    }
    fleet = text_of(fleet_json(current_facts()));
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
  wait_for_first();
  const auto json = stanza_json(current_facts(), name);
  return json.is_null() ? std::nullopt : std::optional(text_of(json));
}

}  // namespace pgrehearse
