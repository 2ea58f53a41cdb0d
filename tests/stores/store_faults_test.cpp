// Drills against S3 and an SSH repository host through a proxy that fails at random: a drill passes
// only with all data, ends in bounded time, names the cause, and leaves nothing behind.
//
// PGREHEARSE_SCHEDULES: how many schedules (default 2). PGREHEARSE_SEED: the first seed (default
// 1).
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <random>

#include "tests/drills/drill_fixture.hpp"
#include "tests/fakes/require_or_skip.hpp"
#include "tests/stores/faulty_proxy.hpp"
#include "tests/stores/faulty_repositories.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr std::string_view checks = R"(recover_to: latest
timeout: 4min
checks:
  - databases
  - landing
  - wal_continuity
  - query: { name: newest row, database: postgres, sql: "select count(*) from orders where id = 0", expect: 1 }
  - query: { name: all rows, database: postgres, sql: "select count(*) from orders", expect: 20001 }
)";
// Of the scenario, and to clean up on a busy machine.
constexpr std::chrono::minutes longest{6};

unsigned number_from(const char* variable, unsigned otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::atoi(text));
}

class StoreFaults : public DrillTest {
 protected:
  void SetUp() override {
    if (!require_or_skip(missing_for_stores())) return;
    DrillTest::SetUp();
    if (IsSkipped()) return;
    own_ = scratch / "stores";
    fs::create_directories(own_);
    stores_ = std::make_unique<FaultyRepositories>(own_, runner);
  }

  DrillRun drill(const fs::path& configuration) {
    auto text = stores_->laboratory().scenario_text("fault", checks);
    const auto original = stores_->laboratory().paths().configuration.native();
    return run_scenario(text.replace(text.find(original), original.size(), configuration.native()));
  }

  // One to three faults somewhere in `bytes`.
  static std::vector<ProxyFault> random_faults(std::mt19937& random, std::uint64_t bytes) {
    const auto below = [&](std::uint64_t limit) { return random() % limit; };
    std::vector<ProxyFault> faults(1 + below(3));
    for (auto& fault : faults) {
      fault.kind = static_cast<ProxyFault::Kind>(below(3));
      fault.after = below(bytes);
      constexpr std::array<int, 4> connections{1, 2, 8, 0};
      fault.connections = connections.at(below(connections.size()));
    }
    return faults;
  }

  void expect_honest(const DrillRun& run) {
    expect_nothing_left();
    ASSERT_TRUE(run.report) << run.text();
    if (run.exit_code == 0) {
      ASSERT_TRUE(run.report->landing && run.report->landing->last_applied) << run.text();
      EXPECT_EQ(std::to_string(run.report->landing->last_applied->xid),
                stores_->newest_transaction());
      return;
    }
    EXPECT_TRUE(run.exit_code == 1 || run.exit_code == 2) << run.text();
    EXPECT_NE(run.report->verdict, Verdict::pass);
    EXPECT_FALSE(run.report->diagnosis.summary.empty()) << run.text();
    EXPECT_NE(run.report->diagnosis.likely_cause, LikelyCause::primary) << run.findings();
  }

  // The number of passes.
  unsigned run_schedules(FaultyProxy& proxy, const fs::path& configuration, unsigned first,
                         unsigned count) {
    proxy.schedule({});
    const auto whole = drill(configuration);
    EXPECT_EQ(whole.exit_code, 0) << whole.text();
    const auto bytes = proxy.forwarded();
    EXPECT_GT(bytes, 1000U) << "the drill does not use the proxy";
    unsigned passes = 0;
    for (unsigned seed = first; seed < first + count && !HasFatalFailure(); ++seed) {
      std::mt19937 random(seed);
      const auto faults = random_faults(random, bytes);
      std::string text = fmt::format("seed {}:", seed);
      for (const auto& fault : faults) text += " " + to_text(fault) + ";";
      SCOPED_TRACE(text);
      proxy.schedule(faults);
      const auto begin = steady_clock::now();
      const auto run = drill(configuration);
      const auto took =
          std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now() - begin);
      EXPECT_LT(took, longest) << run.text();
      expect_honest(run);
      if (run.exit_code == 0) ++passes;
      std::cout << fmt::format("{} {} met, exit {} in {} s: {}\n", text, proxy.faults_met(),
                               run.exit_code, took.count(),
                               run.report ? run.report->diagnosis.summary : "no report");
    }
    return passes;
  }

  fs::path own_;
  std::unique_ptr<FaultyRepositories> stores_;
};

TEST_F(StoreFaults, NoScheduleLeadsToAPassWithoutAllData) {
  const auto count = number_from("PGREHEARSE_SCHEDULES", 2);
  const auto first = number_from("PGREHEARSE_SEED", 1);
  const auto s3 = run_schedules(stores_->s3_proxy(), stores_->s3_configuration(), first, count / 2);
  const auto ssh = run_schedules(stores_->ssh_proxy(), stores_->ssh_configuration(),
                                 first + count / 2, count - count / 2);
  std::cout << fmt::format(
      "{} schedules from seed {}: {} passed with all data, the others did not "
      "pass\n",
      count, first, s3 + ssh);
}

// Answers of the store itself, which a proxy cannot forge through TLS.
TEST_F(StoreFaults, ErrorsOfTheStoreAreNotTheEndOfTheArchive) {
  for (const int status : {403, 404, 500, 503}) {
    SCOPED_TRACE(status);
    stores_->answer_with(status);
    const auto run = drill(stores_->s3_configuration());
    stores_->answer_with(0);
    EXPECT_NE(run.exit_code, 0) << run.text();
    expect_honest(run);
    std::cout << fmt::format("HTTP {}: exit {}: {}\n", status, run.exit_code,
                             run.report ? run.report->diagnosis.summary : "no report");
  }
}

}  // namespace
}  // namespace pgrehearse
