// The scenarios in a directory: its files *.yaml and *.yml. A file that becomes invalid is
// reported, and its last valid version stays in force, also after a restart.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/scenario/scenario.hpp"
#include "harness/serve/drill_control.hpp"

namespace pgrehearse {

struct ScenarioInForce {
  Scenario scenario;
  // What a drill reads: the file, or a copy of its last valid version.
  std::filesystem::path file;
};

class ScenarioDirectory {
 public:
  // Parses a text; `file` for messages. Throws ScenarioErrors.
  using Parser =
      std::function<Scenario(const std::string& text, const std::filesystem::path& file)>;

  // Copies of valid versions are kept in the directory `copies`; empty: none are kept. Reads
  // nothing yet.
  ScenarioDirectory(std::filesystem::path directory, std::filesystem::path copies, Parser parse);

  // Reads files that were added, changed or removed since the last call; with `all`, every file
  // (the environment may have changed). Returns whether anything was read or removed.
  bool refresh(bool all = false);

  // By name of the scenario. References are valid until the next refresh().
  [[nodiscard]] std::vector<const ScenarioInForce*> scenarios() const;
  // By file.
  [[nodiscard]] std::vector<ScenarioFileError> errors() const;

  [[nodiscard]] const std::filesystem::path& path() const { return directory_; }

 private:
  struct File {
    std::string signature;  // changes with the content
    std::optional<ScenarioInForce> in_force;
    std::vector<std::string> errors;
    std::string duplicate;  // why `in_force` is not used: its name is taken
  };

  void read(const std::filesystem::path& path, File& file);
  void recover_copy(const std::filesystem::path& path, File& file);
  void find_duplicates();
  [[nodiscard]] std::filesystem::path copy_of(const std::filesystem::path& path) const;

  std::filesystem::path directory_;
  std::filesystem::path copies_;
  Parser parse_;
  std::map<std::filesystem::path, File> files_;
  std::string directory_error_;
};

}  // namespace pgrehearse
