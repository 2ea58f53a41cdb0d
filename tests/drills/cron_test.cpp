// A pg_cron job is restored with the backup and must not run in the copy. The test shows before and
// afterwards that it does run on the primary.
#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>

#include "tests/drills/drill_fixture.hpp"
#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

class CronJob : public DrillTest {
 protected:
  void SetUp() override {
    DrillTest::SetUp();
    marker = scratch / "markers" / "ran";
    fs::create_directory(marker.parent_path());
    fs::permissions(marker.parent_path(), fs::perms(0777));
  }

  [[nodiscard]] bool installed() const {
    const auto major = std::to_string(laboratory->options().postgres_major);
    return fs::exists("/usr/share/postgresql/" + major + "/extension/pg_cron.control");
  }

  // Jobs with the schedule @reboot run when the server has started, or has ended recovery.
  void schedule_job(Laboratory& primary) const {
    std::ofstream(primary.paths().data / "postgresql.conf", std::ios::app)
        << "shared_preload_libraries = 'pg_cron'\ncron.use_background_workers = on\n";
    primary.stop({});
    primary.start({});
    auto sql = primary.connect("postgres", {});
    sql.query("create extension pg_cron");
    sql.query("select cron.schedule('nightly', '@reboot', $$copy (select 1) to program 'touch " +
              marker.native() + "'$$)");
  }

  bool runs_when_restarted(Laboratory& primary) const {
    fs::remove(marker);
    primary.stop({});
    primary.start({});
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(3);
    while (!fs::exists(marker) && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return fs::exists(marker);
  }

  // The server logs of all drills so far.
  [[nodiscard]] std::string logs_of_copies() const {
    std::string text;
    for (const auto& entry : fs::recursive_directory_iterator(state / "runs")) {
      if (entry.path().filename() != "postgresql.log") continue;
      std::ifstream in(entry.path());
      text.append(std::istreambuf_iterator<char>(in), {});
    }
    return text;
  }

  fs::path marker;
};

TEST_F(CronJob, DoesNotRunInTheCopy) {
  if (!require_or_skip(installed() ? "" : "pg_cron is not installed")) return;
  auto own = make_laboratory();
  schedule_job(*own);
  ASSERT_TRUE(runs_when_restarted(*own)) << "the job does not run on the primary either";
  own->back_up(BackupType::full, {});
  own->switch_wal_and_wait({});

  fs::remove(marker);
  const auto run = run_scenario(own->scenario_text("cron", R"(checks:
  # Promotes the copy: extensions start no background worker before that.
  - amcheck: { parent_check: true }
  - query: { name: the job was restored, database: postgres, sql: select count(*) from cron.job, expect: 1 }
  - query:
      name: nothing is preloaded
      database: postgres
      sql: select current_setting('shared_preload_libraries') || '.'
      expect: .
)"));
  EXPECT_EQ(run.exit_code, 0) << run.text();
  ASSERT_NE(run.check("the job was restored"), nullptr) << run.text();
  EXPECT_EQ(run.check("the job was restored")->verdict, Verdict::pass) << run.findings();
  EXPECT_EQ(run.check("nothing is preloaded")->verdict, Verdict::pass) << run.findings();
  EXPECT_FALSE(fs::exists(marker)) << "the job ran in the copy";
  // The sandbox could hide the file that the job writes, but not pg_cron's own log messages.
  const auto log = logs_of_copies();
  EXPECT_NE(log.find("database system is ready"), std::string::npos) << log;
  EXPECT_EQ(log.find("cron"), std::string::npos) << log;
  expect_nothing_left();

  EXPECT_TRUE(runs_when_restarted(*own)) << "the job would not have run in any copy";
}

}  // namespace
}  // namespace pgrehearse
