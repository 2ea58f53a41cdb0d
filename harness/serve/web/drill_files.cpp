#include "harness/serve/web/drill_files.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "harness/common/error.hpp"
#include "harness/history/evidence/run_manifest.hpp"
#include "harness/report/headline.hpp"
#include "harness/reporting/progress/file_progress.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view pattern = "00000000T000000Z-xxxxxxxx";

}  // namespace

bool is_run_id(std::string_view text) {
  return text.size() == pattern.size() &&
         std::ranges::equal(text, pattern, [](char c, char expected) {
           const bool digit = c >= '0' && c <= '9';
           if (expected == '0') return digit;
           if (expected == 'x') return digit || (c >= 'a' && c <= 'f');
           return c == expected;
         });
}

std::optional<std::filesystem::path> DrillFiles::directory(const std::string& id,
                                                           const std::string& scenario) const {
  if (!is_run_id(id)) return {};
  try {
    return store_.find(scenario.empty() ? id : scenario + "/" + id).parent_path();
  } catch (const Error&) {
    return {};
  }
}

std::optional<Report> DrillFiles::record(const std::filesystem::path& directory) {
  try {
    return load_report(directory / record_name);
  } catch (const Error&) {
    return {};
  }
}

std::optional<std::filesystem::path> DrillFiles::download(const std::filesystem::path& directory,
                                                          const std::string& name) {
  constexpr std::array<std::string_view, 9> names{record_name,   "report.html", "report.md",
                                                  "report.txt",  "report.xml",  scenario_name,
                                                  manifest_name, entry_name,    signature_name};
  std::error_code failure;
  if (std::ranges::find(names, name) == names.end()) return {};
  const auto file = directory / name;
  // A link could lead elsewhere.
  if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(file, failure))) return {};
  return file;
}

Json live_state(const std::filesystem::path& directory) {
  const auto report = DrillFiles::record(directory);
  if (!report) return {};
  auto phases = Json::array();
  for (const auto& phase : report->phases) {
    phases.push_back({{"name", phase.name},
                      {"seconds", phase.seconds},
                      {"bytes", phase.bytes ? Json(*phase.bytes) : Json()},
                      {"completed", phase.completed}});
  }
  Json state{{"id", report->id},
             {"scenario", report->scenario.name},
             {"started", to_iso8601(report->started)},
             {"finished", report->finished ? Json(to_iso8601(*report->finished)) : Json()},
             {"verdict", std::string(name_of(settled_verdict(*report)))},
             {"diagnosis", headline(*report)},
             {"phases", phases},
             {"running", Json()}};
  const auto progress = report->finished ? std::nullopt : read_progress(directory);
  if (progress) {
    const auto& phase = progress->phase;
    state["running"] = {
        {"name", phase.name},
        {"fraction", phase.fraction ? Json(*phase.fraction) : Json()},
        {"detail", phase.detail},
        {"elapsed", phase.elapsed.count()},
        {"expected", phase.expected ? Json(phase.expected->count()) : Json()},
        {"remaining", progress->remaining ? Json(progress->remaining->count()) : Json()},
        {"at", to_iso8601(progress->at)}};
  }
  return state;
}

}  // namespace pgrehearse
