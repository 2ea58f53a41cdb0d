#include "harness/cli/drill_session.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "harness/cli/history_options.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/host_name.hpp"
#include "harness/common/poll_until.hpp"
#include "harness/common/sha256.hpp"
#include "harness/common/text.hpp"
#include "harness/common/version.hpp"
#include "harness/copies/copy_record.hpp"
#include "harness/drill/run_drill.hpp"
#include "harness/history/evidence/drill_recording.hpp"
#include "harness/history/evidence/run_manifest.hpp"
#include "harness/history/evidence/signature.hpp"
#include "harness/history/past_drills.hpp"
#include "harness/kubernetes/kubernetes_manifest.hpp"
#include "harness/report/run_store.hpp"
#include "harness/reporting/progress/file_progress.hpp"
#include "harness/reporting/progress/progress_choice.hpp"
#include "harness/reporting/reporter.hpp"
#include "harness/reporting/terminal.hpp"

namespace pgrehearse {

namespace {

// Its token is triggered by another token or when the timeout expires.
class Deadline {
 public:
  Deadline(std::stop_token outer, std::optional<std::chrono::milliseconds> timeout)
      : forward_(std::move(outer), [this] { source_.request_stop(); }) {
    if (!timeout) return;
    timer_ = std::jthread([this, timeout = *timeout](const std::stop_token& done) {
      if (!wait_for(timeout, done)) return;
      over_ = true;
      source_.request_stop();
    });
  }
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }
  [[nodiscard]] bool over() const { return over_; }

 private:
  std::atomic<bool> over_{false};
  std::stop_source source_;
  std::stop_callback<std::function<void()>> forward_;
  std::jthread timer_;
};

// The drill has finished: a full disk must not hide its verdict. Returns whether it was written.
bool write_report(const Report& report, const std::string& format,
                  const std::filesystem::path& file, const std::vector<PastDrill>& past) {
  try {
    write_report_file(report, format, file, {.verbose = true, .past = past});
    return true;
  } catch (const Error& error) {
    spdlog::error("{}; {}", error.what(), error.hint());
    return false;
  }
}

// A report without trends is better than none.
std::vector<PastDrill> drills_before(Ledger& ledger, const Scenario& scenario,
                                     const Report& report) {
  try {
    return past_drills(ledger, scenario.name, report.started);
  } catch (const Error& error) {
    spdlog::warn("the reports have no trends: {}", error.what());
    return {};
  }
}

std::map<std::string, std::filesystem::path> all_reports(const Scenario& scenario,
                                                         const SessionOptions& options) {
  auto files = options.reports;
  files.insert(scenario.reports.begin(), scenario.reports.end());
  return files;
}

LedgerRow row_before(const Scenario& scenario, const SessionOptions& options,
                     const std::string& run_id, Instant now) {
  return {.id = run_id,
          .scenario = scenario.name,
          .stanza = scenario.repository.stanza,
          .host = host_name(),
          .operator_account =
              options.requested_by.empty() ? operator_of_this_process() : options.requested_by,
          .program_version = std::string(pgrehearse_version()),
          .program_checksum = checksum_of_this_program(),
          .started = now,
          .due = options.due,
          .attempt = options.attempt,
          .target = to_text(scenario.target),
          .databases = join(scenario.repository.databases, ","),
          .sandbox_type = scenario.sandbox.type,
          .scenario_hash = sha256_of(scenario.stored_text)};
}

// A drill whose end could not be recorded proves nothing later.
bool record(DrillRecording& recording, const Scenario& scenario, const Report& report,
            const std::filesystem::path& run_directory) {
  try {
    recording.finish(report, run_directory);
    if (scenario.ledger.key) {
      const auto runner = real_command_runner();
      sign(run_directory / entry_name, *scenario.ledger.key, *runner, {});
    }
    return true;
  } catch (const Error& error) {
    spdlog::error("{}; {}", error.what(), error.hint());
    return false;
  }
}

}  // namespace

std::optional<ConnectionParameters> ledger_of(const Scenario& scenario) {
  return scenario.ledger.postgres ? scenario.ledger.postgres : stated_ledger("");
}

void require_writable_reports(const Scenario& scenario, const SessionOptions& options) {
  for (const auto& [format, file] : all_reports(scenario, options)) {
    find_reporter(format);
    const auto directory =
        file.has_parent_path() ? file.parent_path() : std::filesystem::current_path();
    if (!std::filesystem::is_directory(directory) || access(directory.c_str(), W_OK) != 0) {
      throw Error(
          ErrorKind::usage,
          fmt::format("cannot write the {} report to {}: no such directory, or no permission",
                      format, file.string()),
          "create the directory, or choose another file");
    }
  }
}

bool write_run_reports(const Report& report, const std::filesystem::path& run_directory,
                       const std::vector<PastDrill>& past) {
  bool written = true;
  for (const auto& [format, name] : {std::pair{"text", "report.txt"},
                                     {"markdown", "report.md"},
                                     {"html", "report.html"},
                                     {"junit", "report.xml"}}) {
    if (!write_report(report, format, run_directory / name, past)) written = false;
  }
  return written;
}

ExitCode exit_code_of(const DrillSession& session) {
  // A scenario that cannot be right, found once the repository was read.
  for (const auto kind : {ErrorKind::internal, ErrorKind::usage}) {
    if (session.report.error_kind == name_of(kind)) return exit_code_of(kind);
  }
  const auto code = exit_code_of(session.report.verdict);
  return code == ExitCode::pass && !session.reports_written ? ExitCode::unknown : code;
}

DrillSession run_session(const Scenario& stated, const SessionOptions& options,
                         const CommonOptions& common, std::stop_token stop) {
  auto scenario = stated;
  const auto timeout = options.timeout ? options.timeout : scenario.timeout;
  const Deadline deadline(std::move(stop), timeout);
  const auto now = [] { return Instant(std::chrono::system_clock::now()); };
  const auto run_id = options.run_id.empty() ? new_run_id() : options.run_id;
  RunStore store(common.state);
  auto ledger =
      open_ledger(options.shared_ledger ? ledger_of(scenario) : std::nullopt, common.state);
  DrillRecording recording(ledger, row_before(scenario, options, run_id, now()),
                           {.wait = options.wait_for_stanza,
                            .on_wait =
                                [&](const std::string& other) {
                                  spdlog::warn("waiting: a drill of stanza {} is running: {}",
                                               scenario.repository.stanza, other);
                                }},
                           deadline.token());
  if (!recording.started()) return {.started = false};
  scenario.repository.trials = ledger.trials(scenario.repository.stanza);
  auto parts = wire(scenario, common.state, run_id);
  std::unique_ptr<ProgressListener> progress = std::make_unique<FileProgress>(
      progress_on_stderr(common.quiet, common.no_color), common.state / "runs");
  const DrillServices services{.commands = *parts.commands,
                               .provisioner = parts.provisioner.get(),
                               .repository = *parts.repository,
                               .primary = parts.primary.get(),
                               .checks = all_checks(),
                               .store = store,
                               .progress = *progress,
                               .state = common.state,
                               .now = now,
                               .run_id = run_id,
                               .host = host_name(),
                               .version = std::string(pgrehearse_version()),
                               .timed_out = [&] { return deadline.over(); },
                               .pause_point_visitors = options.pause_point_visitors,
                               .at_landing = options.at_landing,
                               .after_pause_point = options.after_pause_point,
                               .stay_standby = options.stay_standby,
                               .fetched = options.fetched};
  DrillSession session;
  try {
    session.report =
        parts.executor->run(services, {.keep = options.keep, .timeout = timeout}, deadline.token());
  } catch (const Error& error) {
    recording.abort(error.what(), now());
    throw;
  }
  const auto& report = session.report;
  // Clear the live line before printing anything.
  progress.reset();
  const auto past = drills_before(ledger, scenario, report);
  try {
    const auto found = store.find(scenario.name + "/" + run_id);
    session.reports_written = write_run_reports(report, found.parent_path(), past);
    if (!record(recording, scenario, report, found.parent_path())) session.reports_written = false;
  } catch (const Error& error) {
    // It was removed during the drill: the report says so.
    spdlog::error("{}", error.what());
    session.reports_written = false;
  }
  for (const auto& [format, file] : all_reports(scenario, options)) {
    if (!write_report(report, format, file, past)) session.reports_written = false;
  }
  return session;
}

void print_report(const Report& report, const CommonOptions& common) {
  const RenderOptions options{.color = wants_color(STDOUT_FILENO, common.no_color),
                              .width = terminal_width(STDOUT_FILENO),
                              .verbose = common.verbose};
  find_reporter(common.format).write(report, options, std::cout);
  std::cout.flush();
}

void print_report_line(const Report& report) {
  const auto json = nlohmann::ordered_json::parse(to_json(report));
  std::cerr << fmt::format("{}{}\n", pod_report_mark, json.dump()) << std::flush;
}

void remove_leftovers(const CommonOptions& common) {
  const auto runner = real_command_runner();
  for (const auto& cleaner : all_cleaners(*runner, common.state)) {
    for (const auto& leftover : cleaner->list()) {
      if (!is_removable(leftover, std::chrono::system_clock::now())) continue;
      const auto removal = cleaner->remove(leftover);
      remove_copy_record(common.state, leftover.run_id);
      spdlog::warn(
          "{} {}: {}", leftover.kept ? "removed expired copy" : "cleaned up after killed drill",
          leftover.run_id,
          removal.complete() ? "complete" : "incomplete, see 'pgrehearse clean --dry-run'");
    }
  }
}

}  // namespace pgrehearse
