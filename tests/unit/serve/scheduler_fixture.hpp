// A scheduler with a simulated clock, simulated drills and a real ledger in a file.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "harness/history/sqlite_database.hpp"
#include "harness/scenario/scenario_parser.hpp"
#include "harness/serve/scheduler.hpp"
#include "tests/fakes/simulated_drills.hpp"

namespace pgrehearse {

using namespace std::chrono_literals;

class SchedulerTest : public testing::Test {
 protected:
  ~SchedulerTest() override {
    scheduler_.reset();
    std::filesystem::remove_all(root_);
  }

  static Instant at(const std::string& text) { return parse_instant(text).value(); }

  void write(const std::string& file, const std::string& text) {
    std::ofstream(root_ / "scenarios" / file) << text;
  }
  // A scenario of the stanza of the same name, if none is stated.
  void add(const std::string& name, const std::string& cron, const std::string& zone = "UTC",
           std::string stanza = "", const std::string& more = "") {
    if (stanza.empty()) stanza = name;
    write(name + ".yaml", fmt::format("name: {}\nrepository: {{ stanza: {} }}\n"
                                      "sandbox: {{ memory: 1GB }}\n"
                                      "schedule: {{ cron: \"{}\", zone: {} }}\n{}",
                                      name, stanza, cron, zone, more));
  }

  // As after a start of the program; drills go on.
  void restart() {
    scheduler_.reset();
    directory_.emplace(root_ / "scenarios", state() / "serve" / "scenarios",
                       [](const std::string& text, const std::filesystem::path& file) {
                         return parse_scenario(text, file.string(), {}, {});
                       });
    if (!drills_) {
      drills_.emplace(
          SimulatedDrills::Parts{.ledger = drill_ledger_,
                                 .stamps = stamps_,
                                 .now = [this] { return now_; },
                                 .scenario = [this](const std::string& name) -> const Scenario& {
                                   for (const auto* entry : directory_->scenarios()) {
                                     if (entry->scenario.name == name) return entry->scenario;
                                   }
                                   throw std::runtime_error("no scenario " + name);
                                 }});
    }
    scheduler_.emplace(
        Scheduler::Parts{.directory = *directory_,
                         .ledger = ledger_,
                         .processes = *drills_,
                         .now = [this] { return now_; },
                         .disk = [this](const std::filesystem::path&) { return disk_; }},
        Scheduler::Options{.state = state(),
                           .host = "db1",
                           .budget = budget_,
                           .directory_interval = 0ms,
                           .ledger_interval = ledger_interval_});
    scheduler_->step();
  }

  void step_until(Instant end, std::chrono::seconds tick) {
    while (now_ < end) {
      now_ = std::min(now_ + tick, end);
      scheduler_->step();
    }
  }

  [[nodiscard]] std::filesystem::path state() const { return root_ / "state"; }
  [[nodiscard]] ScheduledScenario scenario(const std::string& name) const {
    for (auto& entry : scheduler_->snapshot().scenarios) {
      if (entry.name == name) return entry;
    }
    ADD_FAILURE() << "no scenario " << name;
    return {};
  }
  // "verdict due attempt" of each drill, oldest first.
  std::vector<std::string> history(const std::string& name) {
    std::vector<std::string> lines;
    for (const auto& row : ledger_.list({.scenario = name})) {
      lines.push_back(fmt::format(
          "{} {} {}", row.state == DrillState::finished ? name_of(row.verdict) : name_of(row.state),
          row.due ? to_iso8601(*row.due).substr(0, 16) : "by hand", row.attempt));
    }
    std::ranges::reverse(lines);
    return lines;
  }

  static std::filesystem::path new_root() {
    std::string pattern = "/dev/shm/pgrehearse-scheduler-XXXXXX";
    const std::filesystem::path root = mkdtemp(pattern.data());
    std::filesystem::create_directory(root / "scenarios");
    return root;
  }

  std::filesystem::path root_ = new_root();
  Instant now_ = at("2026-01-01 00:00:00+00");
  HostBudget budget_{.drills = 8, .memory = {std::uint64_t{64} << 30U}, .free_disk = {}};
  std::chrono::milliseconds ledger_interval_{0};
  FreeDisk disk_{.bytes = {std::uint64_t{1} << 40U}, .file_system = 1};
  Ledger ledger_{std::make_unique<SqliteDatabase>(state())};
  Ledger drill_ledger_{std::make_unique<SqliteDatabase>(state())};
  ScheduleStamps stamps_{state()};
  std::optional<ScenarioDirectory> directory_;
  std::optional<SimulatedDrills> drills_;
  std::optional<Scheduler> scheduler_;
};

}  // namespace pgrehearse
