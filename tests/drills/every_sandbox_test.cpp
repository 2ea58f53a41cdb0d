// One drill of the same repository in each kind of sandbox: same verdicts, findings and landing,
// and nothing left on the host or in an engine. A new kind of sandbox is a row here.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "harness/common/text.hpp"
#include "harness/process/process_table.hpp"
#include "harness/sandbox/container/engine_address.hpp"
#include "tests/drills/drill_fixture.hpp"
#include "tests/engines/test_engine.hpp"
#include "tests/fakes/command_line_of.hpp"
#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;
using Things = std::multiset<std::string>;

struct SandboxKindUnderTest {
  std::string type;   // sandbox.type
  TestEngine engine;  // empty if it needs none; for a machine, its image
  std::optional<EngineKind> api;
  // The first drill creates what remains: directories, an engine's own processes.
  bool needs_warm_up = true;

  [[nodiscard]] std::string keys() const {
    if (api) return fmt::format("type: {}, engine: \"{}\"", type, engine.address);
    if (!engine.address.empty()) return fmt::format("type: {}, image: {}", type, engine.address);
    return "type: " + type;
  }
  // What the command lines of its processes and its mounts contain.
  [[nodiscard]] std::string mark() const {
    return api ? fs::path(engine.address.substr(7)).parent_path().native() : engine.address;
  }
};

std::vector<SandboxKindUnderTest> kinds() {
  return {{.type = "local", .engine = {}, .api = {}},
          {.type = "docker", .engine = docker_for_tests(), .api = EngineKind::docker},
          {.type = "podman", .engine = podman_for_tests(), .api = EngineKind::podman},
          {.type = "vm", .engine = virtual_machine_for_tests(), .api = {}, .needs_warm_up = false}};
}

// Containers, volumes and networks of the engine.
void list_engine(const SandboxKindUnderTest& kind, Things& things) {
  if (!kind.api) return;
  const auto address =
      find_engine(*kind.api, kind.engine.address, EngineSurroundings::of_this_process());
  const CurlHttpClient engine(http_options(address));
  const auto ask = [&](const std::string& path) {
    return nlohmann::json::parse(engine.send({.url = address.base_url + path}, {}).body);
  };
  for (const auto& container : ask("/containers/json?all=true")) {
    things.insert("container " + container.at("Names").dump());
  }
  const auto volumes = ask("/volumes");
  if (volumes.contains("Volumes") && volumes["Volumes"].is_array()) {
    for (const auto& volume : volumes["Volumes"])
      things.insert("volume " + volume.value("Name", ""));
  }
  for (const auto& network : ask("/networks")) {
    things.insert("network " + network.value("Name", ""));
  }
}

Things difference(const Things& after, const Things& before) {
  Things left;
  std::set_difference(after.begin(), after.end(), before.begin(), before.end(),
                      std::inserter(left, left.end()));
  return left;
}

class EverySandbox : public DrillTest {
 protected:
  // Processes and mounts that mention the engine's or the test's own directories, and the files of
  // the state directory. Others are ignored: other drills may run on this host.
  [[nodiscard]] Things everything(const SandboxKindUnderTest& kind) const {
    Things things;
    list_engine(kind, things);
    std::vector<std::string> marks{scratch.native()};
    if (!kind.mark().empty()) marks.push_back(kind.mark());
    for (const auto& process : all_processes()) {
      if (!process.alive()) continue;
      const auto line = command_line_of(process);
      if (mentions(line, marks)) things.insert("process " + line);
    }
    std::ifstream mounts("/proc/self/mounts");
    for (std::string line; std::getline(mounts, line);) {
      // podman mounts its store on itself and unmounts it at any time.
      const bool store = line.find("/root/overlay ") != std::string::npos;
      if (mentions(line, marks) && !store) things.insert("mount " + line);
    }
    std::error_code none;
    for (fs::recursive_directory_iterator entry(state, none), end; !none && entry != end;
         entry.increment(none)) {
      const auto path = entry->path().lexically_relative(state).native();
      if (!path.starts_with("runs")) things.insert("file " + path);
    }
    return things;
  }

  static bool mentions(const std::string& line, const std::vector<std::string>& marks) {
    return std::any_of(marks.begin(), marks.end(),
                       [&](const auto& mark) { return line.find(mark) != std::string::npos; });
  }

  DrillRun drill_in(const SandboxKindUnderTest& kind, std::string_view checks) {
    auto text = scenario(checks);
    const std::string local = "type: local";
    return run_scenario(text.replace(text.find(local), local.size(), kind.keys()));
  }

  // What must be the same in every sandbox.
  static std::string outcome(const DrillRun& run) {
    if (!run.report || !run.report->landing || !run.report->landing->lsn) return run.text();
    auto text = fmt::format("exit {}, verdict {}, landing {}\n{}", run.exit_code,
                            name_of(run.report->verdict), to_text(*run.report->landing->lsn),
                            run.findings());
    for (const auto& check : run.report->checks) {
      text += fmt::format("{}: {}\n", check.name, name_of(check.verdict));
    }
    return text;
  }
};

TEST_F(EverySandbox, HasTheSameVerdictsFindingsAndLandingAndLeavesNothing) {
  // One check fails: its row count is not the expected one.
  const auto* checks =
      "checks: [wal_continuity, page_checksums, amcheck, row_counts, databases, extensions, "
      "sequences, indexes, collations, query: { name: wrong, database: shop, expect: 1, sql: "
      "\"select 2\" }]\n";
  const auto before_all = list_files(laboratory->paths().repository);
  std::string expected;
  int drilled = 0;
  for (const auto& kind : kinds()) {
    SCOPED_TRACE(kind.type);
    if (!kind.engine.impossible.empty()) continue;
    if (!kind.engine.missing.empty()) {
      EXPECT_FALSE(everything_is_required()) << kind.engine.missing;
      continue;
    }
    if (kind.needs_warm_up) drill_in(kind, "checks: [databases]\n");
    const auto before = everything(kind);
    const auto run = drill_in(kind, checks);
    auto left = difference(everything(kind), before);
    // An engine's own processes may still be cleaning up after its response.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(3);
    while (!left.empty() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      left = difference(everything(kind), before);
    }
    EXPECT_EQ(run.exit_code, 1) << run.text();
    if (expected.empty()) expected = outcome(run);
    EXPECT_EQ(outcome(run), expected);
    ASSERT_TRUE(run.report) << run.text();
    EXPECT_EQ(run.report->sandbox.type, kind.type);
    EXPECT_TRUE(run.report->sandbox.removed);
    EXPECT_EQ(left, Things{});
    expect_nothing_left();
    ++drilled;
  }
  const bool several = drilled > 1;
  if (!require_or_skip(several ? "" : "only one kind of sandbox works here", Remedy::none)) return;
  EXPECT_EQ(list_files(laboratory->paths().repository), before_all);
}

}  // namespace
}  // namespace pgrehearse
