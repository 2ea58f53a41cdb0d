#include "tests/drills/drill_fixture.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "harness/process/process_table.hpp"
#include "harness/report/finding_codes.hpp"
#include "harness/sandbox/registry.hpp"
#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

std::string DrillRun::text() const {
  return fmt::format("exit {}\nstdout:\n{}\nstderr:\n{}", exit_code, output, error_output);
}

const CheckRecord* DrillRun::check(std::string_view name) const {
  if (!report) return nullptr;
  for (const auto& record : report->checks) {
    if (record.name == name) return &record;
  }
  return nullptr;
}

std::string DrillRun::findings() const {
  if (!report) return "no report\n" + text();
  const auto& diagnosis = report->diagnosis;
  std::string all =
      fmt::format("{} {}: {}\n", text_of(diagnosis.code), diagnosis.object, diagnosis.summary);
  for (const auto& check : report->checks) {
    for (const auto& finding : check.findings) {
      all += fmt::format("{} {}: {}\n", text_of(finding.code), finding.object, finding.message);
    }
  }
  return all;
}

// A stream's operator catches the failed read.
std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Listing list_files(const fs::path& directory) {
  Listing listing;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    const auto changed = fs::last_write_time(entry.symlink_status().type() == fs::file_type::symlink
                                                 ? entry.path().parent_path()
                                                 : entry.path());
    listing[entry.path().lexically_relative(directory)] = {
        entry.is_regular_file() ? entry.file_size() : 0, changed.time_since_epoch().count()};
  }
  return listing;
}

void DrillTest::SetUp() {
  const bool here = access("/usr/bin/pgbackrest", X_OK) == 0;
  if (!require_or_skip(here ? "" : "pgbackrest is not installed")) return;
  shared = read_shared_laboratory(PGREHEARSE_LABORATORY_RECORD);
  laboratory = Laboratory::open(shared.root, runner);
  scratch = make_scratch_directory("drill-test");
  state = scratch / "state";
}

void DrillTest::TearDown() {
  if (scratch.empty()) return;
  if (HasFailure()) {
    std::cerr << "left for you to look at: " << scratch << '\n';
  } else {
    fs::remove_all(scratch);
  }
}

DrillRun DrillTest::pgrehearse(std::vector<std::string> arguments,
                               std::map<std::string, std::string> environment) {
  const auto json = scratch / "report.json";
  fs::remove(json);
  if (arguments.front() == "run" || arguments.front() == "demo") {
    arguments.insert(arguments.end(), {"--json", json});
  }
  arguments.insert(arguments.end(), {"--state", state});
  auto result = runner.run({.program = PGREHEARSE_BINARY,
                            .arguments = std::move(arguments),
                            .environment = std::move(environment),
                            .timeout = std::chrono::minutes(10)},
                           {});
  DrillRun run{.exit_code = result.exit_code,
               .output = std::move(result.output),
               .error_output = std::move(result.error_output)};
  if (std::ifstream in(json); in) {
    run.report = report_from_json({std::istreambuf_iterator<char>(in), {}});
  }
  return run;
}

DrillRun DrillTest::run_scenario(const std::string& text, std::vector<std::string> options) {
  const auto file = scratch / "scenario.yaml";
  std::ofstream(file) << text;
  options.insert(options.begin(), {"run", file});
  return pgrehearse(std::move(options));
}

std::string DrillTest::scenario(std::string_view rest) const {
  return laboratory->scenario_text("drill-test", rest);
}

std::string DrillTest::scenario_with(const fs::path& configuration, std::string_view rest) const {
  auto text = scenario(rest);
  const auto original = laboratory->paths().configuration.native();
  return text.replace(text.find(original), original.size(), configuration.native());
}

fs::path DrillTest::copy_repository() {
  const auto& paths = laboratory->paths();
  const auto copied = runner.run({.program = "cp",
                                  .arguments = {"-a", "--reflink=auto", paths.repository.native(),
                                                copied_repository().native()}},
                                 {});
  EXPECT_TRUE(copied.succeeded()) << copied.error_output;
  auto options = laboratory->options();
  auto copy_paths = paths;
  copy_paths.repository = copied_repository();
  auto configuration = scratch / "pgbackrest.conf";
  std::ofstream(configuration) << laboratory_pgbackrest_conf(options, copy_paths, false);
  return configuration;
}

std::unique_ptr<Laboratory> DrillTest::make_laboratory(LaboratoryOptions options) {
  options.id = "own-laboratory";
  options.state = scratch / "laboratories";
  auto made = Laboratory::create(options, runner, {});
  made->start({});
  made->create_stanza({});
  return made;
}

void DrillTest::expect_nothing_left() const {
  const ProcessMark mark{.label = "PGREHEARSE_SANDBOX=never-matches",
                         .directories = {state},
                         .owner = laboratory->account().uid};
  for (const auto& process : processes_with(mark)) {
    ADD_FAILURE() << "left: process " << process.pid << ' ' << process.name;
  }
  EXPECT_TRUE(Registry(state).list().empty()) << "a sandbox is still registered";
  if (!fs::exists(state)) return;
  for (const auto& entry : fs::recursive_directory_iterator(state)) {
    const auto path = entry.path().lexically_relative(state).native();
    const bool expected =
        path.starts_with("runs") || path == "sandboxes" || path.starts_with("ledger.sqlite");
    EXPECT_TRUE(expected) << "left: " << entry.path();
    EXPECT_FALSE(entry.is_socket()) << "left: socket " << entry.path();
  }
}

}  // namespace pgrehearse
