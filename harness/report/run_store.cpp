#include "harness/report/run_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>
#include <span>
#include <string_view>
#include <system_error>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/process/descriptor.hpp"
#include "harness/report/headline.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view record_name = "report.json";
constexpr std::string_view latest_name = "latest";

[[noreturn]] void refuse(std::string_view doing, const fs::path& path, int error) {
  throw Error(ErrorKind::environment,
              fmt::format("cannot {} '{}': {}", doing, path.string(),
                          std::generic_category().message(error)),
              "free disk space there, or choose another state directory with --state",
              FindingCode::env_state, path.string());
}

void make_directory(const fs::path& path, mode_t mode) {
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) refuse("create", path, errno);
}

Descriptor open_file(const fs::path& path, int flags, mode_t mode = 0) {
  Descriptor file(open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!file) refuse("open", path, errno);
  return file;
}

void write_durably(const fs::path& path, std::string_view text) {
  const auto file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
  while (!text.empty()) {
    const auto written = write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) refuse("write", path, errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (fsync(file.get()) != 0) refuse("write", path, errno);
}

void replace(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) refuse("replace", to, errno);
}

// Real directories below `path`, by name; the `latest` links and hidden names are left out.
std::vector<std::string> directories_in(const fs::path& path) {
  std::vector<std::string> names;
  std::error_code failure;
  fs::directory_iterator entry(path, failure);
  if (failure == std::errc::no_such_file_or_directory) return names;
  if (failure) refuse("read", path, failure.value());
  for (; entry != fs::directory_iterator(); entry.increment(failure)) {
    const auto name = entry->path().filename().string();
    if (!name.starts_with('.') && fs::is_directory(entry->symlink_status(failure))) {
      names.push_back(name);
    }
    if (failure) refuse("read", path, failure.value());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<Instant> instant_of(std::string_view id) {
  if (id.size() < 16) return {};
  const auto part = [&](std::size_t from, std::size_t length) { return id.substr(from, length); };
  return parse_instant(fmt::format("{}-{}-{}T{}:{}:{}Z", part(0, 4), part(4, 2), part(6, 2),
                                   part(9, 2), part(11, 2), part(13, 2)));
}

}  // namespace

std::string make_run_id(Instant started, std::uint64_t random) {
  std::string time = to_iso8601(started).substr(0, 19);
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  return fmt::format("{}Z-{:08x}", time, (random ^ (random >> 32U)) & 0xFFFFFFFFU);
}

std::string new_run_id() {
  std::random_device random;
  return make_run_id(std::chrono::system_clock::now(), (std::uint64_t{random()} << 32U) | random());
}

void RunDirectory::save(const Report& report) const {
  const auto part = path_ / ".report.json.part";
  write_durably(part, to_json(report));
  replace(part, path_ / record_name);
  fsync(open_file(path_, O_RDONLY | O_DIRECTORY).get());
}

void RunDirectory::save_scenario(const std::string& text) const {
  write_durably(path_ / "scenario.yaml", text);
}

RunDirectory RunStore::create(const std::string& scenario, const std::string& run_id) const {
  // The sandbox's account must be able to pass through the state directory, not to read the runs.
  std::error_code failure;
  fs::create_directories(runs_.parent_path(), failure);
  if (failure) refuse("create", runs_.parent_path(), failure.value());
  make_directory(runs_, 0750);
  make_directory(runs_ / scenario, 0750);
  const auto path = runs_ / scenario / run_id;
  if (mkdir(path.c_str(), 0750) != 0) refuse("create", path, errno);
  make_directory(path / "logs", 0750);

  const auto link = runs_ / scenario / (".latest-" + run_id);
  if (symlink(run_id.c_str(), link.c_str()) != 0) refuse("create", link, errno);
  replace(link, runs_ / scenario / latest_name);
  return RunDirectory(path);
}

std::vector<std::string> RunStore::scenarios() const { return directories_in(runs_); }

std::vector<RunStore::Entry> RunStore::all_runs(const std::optional<std::string>& scenario) const {
  std::vector<Entry> all;
  for (const auto& name : scenario ? std::vector{*scenario} : scenarios()) {
    for (const auto& id : directories_in(runs_ / name)) all.push_back({.scenario = name, .id = id});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Entry& a, const Entry& b) { return a.id > b.id; });
  return all;
}

RunSummary RunStore::summarise(const Entry& entry) const {
  RunSummary summary{.scenario = entry.scenario,
                     .id = entry.id,
                     .started = instant_of(entry.id),
                     .path = path_of(entry)};
  const auto record = summary.path / record_name;
  std::error_code failure;
  if (!fs::exists(record, failure) && !failure) {
    summary.diagnosis = "has no report: killed before its first phase";
    return summary;
  }
  try {
    const Report report = load_report(record);
    summary.started = report.started;
    if (report.finished) summary.seconds = *report.finished - report.started;
    summary.verdict = settled_verdict(report);
    summary.diagnosis = headline(report);
  } catch (const Error& error) {
    summary.diagnosis = fmt::format("unreadable: {}", error.what());
  }
  return summary;
}

std::vector<RunSummary> RunStore::list(const std::optional<std::string>& scenario,
                                       std::size_t limit) const {
  std::vector<RunSummary> summaries;
  for (const auto& entry : all_runs(scenario)) {
    if (summaries.size() == limit) break;
    summaries.push_back(summarise(entry));
  }
  return summaries;
}

std::vector<RunStore::Entry> RunStore::matches(const std::string& text) const {
  const auto slash = text.find('/');
  const auto names = scenarios();
  const auto is_scenario = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  const auto newest = [](std::vector<Entry> all) {
    if (all.size() > 1) all.resize(1);
    return all;
  };
  if (text == latest_name) return newest(all_runs({}));
  if (is_scenario(text)) return newest(all_runs(text));

  std::optional<std::string> scenario;
  if (slash != std::string::npos) {
    scenario = text.substr(0, slash);
    if (!is_scenario(*scenario)) return {};
  }
  const auto id = slash == std::string::npos ? text : text.substr(slash + 1);
  if (id.empty()) return {};
  auto all = all_runs(scenario);
  if (id == latest_name) return newest(std::move(all));
  std::erase_if(all, [&](const Entry& entry) { return !entry.id.starts_with(id); });
  const auto whole =
      std::find_if(all.begin(), all.end(), [&](const Entry& entry) { return entry.id == id; });
  if (whole != all.end()) return {*whole};
  return all;
}

void RunStore::not_found(const std::string& text) const {
  const auto all = all_runs({});
  if (all.empty()) {
    throw Error(ErrorKind::usage,
                fmt::format("there is no run '{}': no drill has run in this state directory", text),
                fmt::format("runs are read from '{}'; choose another state directory with --state",
                            runs_.string()));
  }
  auto names = scenarios();
  std::transform(all.begin(), all.end(), std::back_inserter(names),
                 [](const Entry& entry) { return entry.id; });
  const auto near = nearest(text, names);
  throw Error(
      ErrorKind::usage, fmt::format("there is no run '{}'", text),
      near ? fmt::format("did you mean '{}'?", *near) : "'pgrehearse history' lists the runs");
}

std::filesystem::path RunStore::find(const std::string& text) const {
  const auto found = text.empty() ? std::vector<Entry>{} : matches(text);
  if (found.size() == 1) return path_of(found.front()) / record_name;
  if (found.size() > 1) {
    throw Error(ErrorKind::usage, fmt::format("'{}' matches {} runs", text, found.size()),
                fmt::format("for example '{}' and '{}'", found[0].id, found[1].id));
  }
  std::error_code ignored;
  if (fs::is_regular_file(text, ignored)) return text;
  if (fs::is_directory(text, ignored) && fs::exists(fs::path(text) / record_name, ignored)) {
    return fs::path(text) / record_name;
  }
  not_found(text);
}

std::optional<Report> RunStore::newest_passed(const std::string& scenario,
                                              const std::string& stanza) const {
  auto reports = newest_passed(scenario, stanza, 1);
  return reports.empty() ? std::nullopt : std::optional(std::move(reports.front()));
}

std::vector<Report> RunStore::newest_passed(const std::string& scenario, const std::string& stanza,
                                            std::size_t count) const {
  auto own = passed_among(all_runs(scenario), stanza, count);
  return own.empty() ? passed_among(all_runs({}), stanza, count) : own;
}

// A drill that failed or was killed ended early: its durations are no estimate.
std::vector<Report> RunStore::passed_among(const std::vector<Entry>& entries,
                                           const std::string& stanza, std::size_t count) const {
  constexpr std::size_t most = 100;
  std::vector<Report> reports;
  for (const auto& entry : std::span(entries).first(std::min(most, entries.size()))) {
    try {
      auto report = load_report(path_of(entry) / record_name);
      if (report.finished && report.verdict == Verdict::pass && report.backup &&
          report.backup->stanza == stanza) {
        reports.push_back(std::move(report));
        if (reports.size() == count) break;
      }
    } catch (const Error&) {
      continue;
    }
  }
  return reports;
}

Report load_report(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (!stream.is_open() || stream.bad()) {
    throw Error(
        ErrorKind::usage, fmt::format("cannot read the report '{}'", file.string()),
        "this account may not be able to read it, or the drill was killed before writing it");
  }
  try {
    return report_from_json(text);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", file.string(), error.what()), error.hint());
  }
}

}  // namespace pgrehearse
