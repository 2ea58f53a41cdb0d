// Recovery maps of scenarios, from the command `map` in a process of its own. The newest map of
// each scenario is stored in <state>/serve/maps. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/process/command_runner.hpp"

namespace pgrehearse {

class MapSource {
 public:
  struct Parts {
    CommandRunner& runner;
    std::filesystem::path program;  // pgrehearse
    std::filesystem::path state;
    // The file that a drill of the scenario reads; nullopt: there is no such scenario.
    std::function<std::optional<std::filesystem::path>(const std::string& scenario)> file_of;
    std::size_t at_once = 2;
    std::chrono::seconds time_limit{60};
    std::chrono::seconds lifetime{600};  // of a stored map
  };
  explicit MapSource(Parts parts) : parts_(std::move(parts)) {}

  // JSON of the map (docs/map.schema.json); a stored one if it is new enough. Throws Error.
  [[nodiscard]] std::string map(const std::string& scenario, const std::stop_token& stop);
  // JSON of the answer to `map --at`. Throws Error(usage) if `at` is not a time.
  [[nodiscard]] std::string at(const std::string& scenario, const std::string& at,
                               const std::stop_token& stop);
  // SVG of the map.
  [[nodiscard]] std::string picture(const std::string& scenario, const std::stop_token& stop);

  // Labels of the backups in the stored maps, by stanza.
  [[nodiscard]] std::map<std::string, std::vector<std::string>> stored_backups() const;

 private:
  [[nodiscard]] std::string run(const std::string& scenario, std::vector<std::string> arguments,
                                const std::stop_token& stop);
  [[nodiscard]] std::filesystem::path stored(const std::string& scenario,
                                             const std::string& ending) const;
  [[nodiscard]] std::string stored_or_run(const std::string& scenario, const std::string& format,
                                          const std::stop_token& stop);

  Parts parts_;
  std::mutex mutex_;
  std::condition_variable_any free_;
  std::size_t running_ = 0;

  struct StoredBackups {
    std::filesystem::file_time_type written;
    std::string stanza;
    std::vector<std::string> labels;
  };
  mutable std::mutex stored_mutex_;
  mutable std::map<std::filesystem::path, StoredBackups> stored_backups_;
};

}  // namespace pgrehearse
