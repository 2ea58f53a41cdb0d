#include "harness/serve/web/map_source.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/serve/state_file.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

// A hint and a prefix are for terminals.
std::string message_of(const CommandResult& result) {
  for (const auto line : lines_of(result.error_output)) {
    constexpr std::string_view prefix = "error: ";
    if (line.starts_with(prefix)) return std::string(line.substr(prefix.size()));
  }
  return fmt::format("pgrehearse map ended with exit code {}", result.exit_code);
}

}  // namespace

fs::path MapSource::stored(const std::string& scenario, const std::string& ending) const {
  return parts_.state / "serve" / "maps" / (scenario + ending);
}

std::string MapSource::run(const std::string& scenario, std::vector<std::string> arguments,
                           const std::stop_token& stop) {
  const auto file = parts_.file_of(scenario);
  if (!file) {
    throw Error(ErrorKind::usage, fmt::format("there is no scenario '{}'", scenario),
                "GET /api/v1/fleet lists the scenarios");
  }
  std::unique_lock lock(mutex_);
  // A request does not wait for long.
  if (!free_.wait_for(lock, stop, parts_.time_limit, [&] { return running_ < parts_.at_once; })) {
    throw Error(ErrorKind::environment, "too many maps are being drawn", "try again in a minute");
  }
  ++running_;
  lock.unlock();
  struct Done {
    ~Done() {
      const std::lock_guard held(source.mutex_);
      --source.running_;
      source.free_.notify_one();
    }
    MapSource& source;
  } const done{*this};
  std::vector<std::string> words{"map", file->string(), "--state", parts_.state.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const auto result = parts_.runner.run({.program = parts_.program.string(),
                                         .arguments = std::move(words),
                                         .timeout = parts_.time_limit,
                                         .keep_output = std::size_t{64} << 20U},
                                        stop);
  // Exit codes 0 to 2 are answers.
  if (result.exit_code < 0 || result.exit_code > 2 || result.output.empty()) {
    throw Error(result.exit_code == 3 ? ErrorKind::usage : ErrorKind::environment,
                message_of(result), "run it in a terminal: 'pgrehearse map'");
  }
  return result.output;
}

std::string MapSource::stored_or_run(const std::string& scenario, const std::string& format,
                                     const std::stop_token& stop) {
  const auto file = stored(scenario, "." + format);
  std::error_code failure;
  const auto written = fs::last_write_time(file, failure);
  if (!failure && fs::file_time_type::clock::now() - written < parts_.lifetime) {
    if (auto text = read_state_file(file)) return *text;
  }
  auto text = run(scenario, {"--format", format}, stop);
  const std::lock_guard lock(stored_mutex_);
  write_state_file(file, text);
  return text;
}

std::string MapSource::map(const std::string& scenario, const std::stop_token& stop) {
  return stored_or_run(scenario, "json", stop);
}

std::string MapSource::picture(const std::string& scenario, const std::stop_token& stop) {
  return stored_or_run(scenario, "svg", stop);
}

std::string MapSource::at(const std::string& scenario, const std::string& at,
                          const std::stop_token& stop) {
  // One word: a time cannot be taken for an option.
  return run(scenario, {"--format", "json", "--at=" + at}, stop);
}

std::map<std::string, std::vector<std::string>> MapSource::stored_backups() const {
  const std::lock_guard lock(stored_mutex_);
  std::map<std::string, std::vector<std::string>> backups;
  std::error_code failure;
  fs::directory_iterator entry(parts_.state / "serve" / "maps", failure);
  if (failure) return backups;
  for (; entry != fs::directory_iterator(); entry.increment(failure)) {
    if (failure || entry->path().extension() != ".json") continue;
    const auto written = fs::last_write_time(entry->path(), failure);
    auto& known = stored_backups_[entry->path()];
    if (known.written != written) {
      known = {.written = written};
      const auto json =
          nlohmann::json::parse(read_state_file(entry->path()).value_or(""), nullptr, false);
      if (!json.is_object()) continue;
      known.stanza = json.value("stanza", "");
      for (const auto& archive : json.value("archives", nlohmann::json::array())) {
        for (const auto& backup : archive.value("backups", nlohmann::json::array())) {
          known.labels.push_back(backup.value("label", ""));
        }
      }
    }
    if (!known.stanza.empty()) backups[known.stanza] = known.labels;
  }
  return backups;
}

}  // namespace pgrehearse
