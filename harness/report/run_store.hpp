// Where reports are stored: <state>/runs/<scenario>/<run id>/ with report.json and logs/. No other
// code depends on this layout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/report/report.hpp"

namespace pgrehearse {

// "20261120T030000Z-1a2b3c4d": sorts by time; `random` makes it unique across hosts.
std::string make_run_id(Instant started, std::uint64_t random);
// Of the current time, with random bits from the kernel.
std::string new_run_id();

// The directory of one drill, created by this process.
class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path logs() const { return path_ / "logs"; }
  // Replaces report.json atomically: a reader sees the old or the new record, even after a crash.
  // Throws Error(environment, env_state).
  void save(const Report& report) const;
  // Writes scenario.yaml. Throws Error(environment, env_state).
  void save_scenario(const std::string& text) const;

 private:
  std::filesystem::path path_;
};

// One line of the history.
struct RunSummary {
  std::string scenario;
  std::string id;
  std::optional<Instant> started;  // absent if neither the record nor the id has it
  std::optional<Seconds> seconds;  // absent: killed, still running, or unreadable
  Verdict verdict = Verdict::unknown;
  std::string diagnosis;       // one line; says so where there is no readable or no finished record
  std::filesystem::path path;  // the run directory
};

class RunStore {
 public:
  explicit RunStore(const std::filesystem::path& state) : runs_(state / "runs") {}

  // Creates the directory and its logs/ (mode 0750) and points the scenario's `latest` link to it.
  // Throws Error(environment, env_state).
  [[nodiscard]] RunDirectory create(const std::string& scenario, const std::string& run_id) const;

  // Scenarios that have a directory, by name.
  [[nodiscard]] std::vector<std::string> scenarios() const;

  struct Entry {
    std::string scenario;
    std::string id;
  };
  // Newest first, from the names of the directories: nothing is read.
  [[nodiscard]] std::vector<Entry> all_runs(const std::optional<std::string>& scenario = {}) const;
  [[nodiscard]] RunSummary summarise(const Entry& entry) const;
  // Where a run is stored, whether it exists or not.
  [[nodiscard]] std::filesystem::path directory_of(const std::string& scenario,
                                                   const std::string& id) const {
    return runs_ / scenario / id;
  }

  // Newest first. Runs that were killed or cannot be read are listed as `unknown`.
  [[nodiscard]] std::vector<RunSummary> list(
      const std::optional<std::string>& scenario = {},
      std::size_t limit = std::numeric_limits<std::size_t>::max()) const;

  // The record (report.json) for what a user may write: a run id or a unique prefix of one,
  // "latest", "SCENARIO/latest", "SCENARIO" (its newest), "SCENARIO/ID", or the path of a run
  // directory or of a record. Throws Error(usage) with a hint when there is none or more than one.
  [[nodiscard]] std::filesystem::path find(const std::string& text) const;

  // For expected durations: the newest drill of this stanza that passed, of this scenario if there
  // is one. Looks at no more than a hundred runs of each.
  [[nodiscard]] std::optional<Report> newest_passed(const std::string& scenario,
                                                    const std::string& stanza) const;
  // The newest ones, at most `count`.
  [[nodiscard]] std::vector<Report> newest_passed(const std::string& scenario,
                                                  const std::string& stanza,
                                                  std::size_t count) const;

 private:
  [[nodiscard]] std::filesystem::path path_of(const Entry& entry) const {
    return directory_of(entry.scenario, entry.id);
  }
  [[nodiscard]] std::vector<Entry> matches(const std::string& text) const;
  [[nodiscard]] std::vector<Report> passed_among(const std::vector<Entry>& entries,
                                                 const std::string& stanza,
                                                 std::size_t count) const;
  [[noreturn]] void not_found(const std::string& text) const;

  std::filesystem::path runs_;
};

// Reads a record. Throws Error(usage) naming the file when it is not one.
Report load_report(const std::filesystem::path& file);

}  // namespace pgrehearse
