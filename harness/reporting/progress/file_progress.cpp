#include "harness/reporting/progress/file_progress.hpp"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr std::string_view progress_name = "progress.json";
constexpr std::chrono::milliseconds interval{500};

Json json_of(const std::optional<Seconds>& seconds) {
  return seconds ? Json(seconds->count()) : Json();
}

std::optional<Seconds> seconds_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number()) return {};
  return Seconds(found->get<double>());
}

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::optional<StoredProgress> read_progress(const std::filesystem::path& run_directory) {
  std::ifstream file(run_directory / progress_name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return {};
  StoredProgress progress{.id = text_of(json, "id"), .scenario = text_of(json, "scenario")};
  progress.phase.name = text_of(json, "phase");
  if (const auto fraction = seconds_of(json, "fraction")) {
    progress.phase.fraction = fraction->count();
  }
  progress.phase.detail = text_of(json, "detail");
  progress.phase.elapsed = seconds_of(json, "elapsed").value_or(Seconds(0));
  progress.phase.expected = seconds_of(json, "expected");
  progress.phase.later_phases = seconds_of(json, "later_phases");
  progress.remaining = seconds_of(json, "remaining");
  const auto at = parse_instant(text_of(json, "at"));
  if (!at) return {};
  progress.at = *at;
  return progress;
}

FileProgress::FileProgress(std::unique_ptr<ProgressListener> next, std::filesystem::path runs)
    : next_(std::move(next)), runs_(std::move(runs)) {}

FileProgress::~FileProgress() { remove(); }

void FileProgress::drill_started(const Report& report) {
  {
    const std::lock_guard lock(mutex_);
    file_ = runs_ / report.scenario.name / report.id / progress_name;
    progress_.id = report.id;
    progress_.scenario = report.scenario.name;
  }
  next_->drill_started(report);
}

void FileProgress::phase_started(std::string_view name, const PhaseExpectation& expected) {
  {
    const std::lock_guard lock(mutex_);
    progress_.phase = {.name = std::string(name),
                       .expected = expected.phase,
                       .later_phases = expected.later_phases};
    phase_started_ = Clock::now();
    write();
  }
  next_->phase_started(name, expected);
}

void FileProgress::phase_progress(std::optional<double> fraction, std::string_view detail) {
  {
    const std::lock_guard lock(mutex_);
    progress_.phase.fraction = fraction;
    progress_.phase.detail = detail;
    if (Clock::now() - written_ >= interval) write();
  }
  next_->phase_progress(fraction, detail);
}

void FileProgress::phase_finished(const PhaseRecord& phase) { next_->phase_finished(phase); }

void FileProgress::check_finished(const CheckRecord& check) { next_->check_finished(check); }

void FileProgress::drill_finished(const Report& report) {
  remove();
  next_->drill_finished(report);
}

void FileProgress::write() {
  if (file_.empty()) return;
  written_ = Clock::now();
  auto& phase = progress_.phase;
  phase.elapsed = written_ - phase_started_;
  const Json json{{"id", progress_.id},
                  {"scenario", progress_.scenario},
                  {"phase", phase.name},
                  {"fraction", phase.fraction ? Json(*phase.fraction) : Json()},
                  {"detail", phase.detail},
                  {"elapsed", phase.elapsed.count()},
                  {"expected", json_of(phase.expected)},
                  {"later_phases", json_of(phase.later_phases)},
                  {"remaining", json_of(remaining_time(phase))},
                  {"at", to_iso8601(std::chrono::system_clock::now())}};
  auto part = file_;
  part += ".part";
  std::ofstream(part, std::ios::trunc)
      << json.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  std::error_code failure;
  std::filesystem::rename(part, file_, failure);
}

void FileProgress::remove() {
  const std::lock_guard lock(mutex_);
  if (file_.empty()) return;
  std::error_code failure;
  std::filesystem::remove(file_, failure);
  file_.clear();
}

}  // namespace pgrehearse
