// The run directories of drills on this host, as far as the pages show them. Names in requests
// reach the file system only if they have the form of a run id or are in a list.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "harness/report/report.hpp"
#include "harness/report/run_store.hpp"

namespace pgrehearse {

// "20261120T030000Z-1a2b3c4d"
bool is_run_id(std::string_view text);

class DrillFiles {
 public:
  explicit DrillFiles(const std::filesystem::path& state) : store_(state) {}

  // nullopt: no such run on this host. `scenario` is empty if it is not known.
  [[nodiscard]] std::optional<std::filesystem::path> directory(const std::string& id,
                                                               const std::string& scenario) const;
  // nullopt: not readable, or not a report.
  [[nodiscard]] static std::optional<Report> record(const std::filesystem::path& directory);

  // A file that may be downloaded: reports, the scenario, checksums, the entry of the ledger and
  // its signature.
  [[nodiscard]] static std::optional<std::filesystem::path> download(
      const std::filesystem::path& directory, const std::string& name);

 private:
  RunStore store_;
};

// Where a drill is: finished phases, the running one with its progress, verdict when it has ended.
nlohmann::ordered_json live_state(const std::filesystem::path& directory);

}  // namespace pgrehearse
