// What every kind of sandbox promises (harness/sandbox/sandbox.hpp), with real commands and
// servers.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <random>
#include <thread>

#include "harness/common/error.hpp"
#include "harness/common/poll_until.hpp"
#include "harness/common/text.hpp"
#include "harness/process/confinement.hpp"
#include "tests/contract/provisioner_fixture.hpp"
#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_P(ProvisionerContract, DirectoriesExistEmptyAndPrivate) {
  auto* const sandbox = &common();
  const auto& paths = sandbox->paths();
  for (const auto& path : {paths.root, paths.data, paths.tablespaces, paths.sockets, paths.logs,
                           paths.configuration, paths.wal, paths.pgbackrest, paths.temporary}) {
    const auto seen = run(*sandbox, {"stat", "-c", "%a %U", path.string()});
    const auto user = run(*sandbox, {"id", "-un"});
    EXPECT_EQ(seen.output, "700 " + user.output) << path;
  }
  EXPECT_EQ(run(*sandbox, {"ls", "-A", paths.data.string()}).output, "");
  EXPECT_LT((paths.sockets / ".s.PGSQL.5432").native().size(), 108U);
}

TEST_P(ProvisionerContract, CommandsAreLabelledAndNotRoot) {
  auto* const sandbox = &common();
  const auto environment = run(*sandbox, {"env"}).output;
  EXPECT_THAT(environment, HasSubstr("PGREHEARSE_RUN=" + sandbox->spec().run_id + "\n"));
  EXPECT_THAT(environment, HasSubstr("TMPDIR=" + sandbox->paths().temporary.string() + "\n"));
  EXPECT_NE(run(*sandbox, {"id", "-u"}).output, "0\n");
}

TEST_P(ProvisionerContract, WritesStayInside) {
  const bool landlock = WriteConfinement::prepare({}).has_value();
  if (!require_or_skip(landlock ? "" : "this kernel has no Landlock", Remedy::none)) return;
  auto* const sandbox = &common();
  const auto inside = sandbox->paths().temporary / "file";
  EXPECT_TRUE(run(*sandbox, {"touch", inside.string()}).succeeded());
  fs::create_directory(scratch_ / "open");
  fs::permissions(scratch_ / "open", fs::perms(0777));
  const auto outside = scratch_ / "open/file";
  const Command asks_for_more{.program = "touch",
                              .arguments = {outside.string()},
                              .confine_writes_to = {scratch_ / "open"}};
  EXPECT_FALSE(sandbox->run(asks_for_more, {}).succeeded());
  EXPECT_FALSE(fs::exists(outside));
  EXPECT_TRUE(run(*sandbox, {"dd", "if=/dev/zero", "of=/dev/null", "count=1"}).succeeded());
}

TEST_P(ProvisionerContract, FilesAreWrittenAndReadFromAnOffset) {
  auto* const sandbox = &common();
  const auto file = sandbox->paths().configuration / "postgresql.conf";
  sandbox->write_file(file, "fsync = on\n");
  sandbox->write_file(file, "fsync = off\n", 0640);
  EXPECT_EQ(sandbox->read_file(file), "fsync = off\n");
  EXPECT_EQ(sandbox->read_file(file, 8), "off\n");
  EXPECT_EQ(sandbox->read_file(file, 800), "");
  EXPECT_EQ(sandbox->read_file(file.parent_path() / "none"), "");
  const auto user = run(*sandbox, {"id", "-un"}).output;
  EXPECT_EQ(run(*sandbox, {"stat", "-c", "%a %U", file.string()}).output, "640 " + user);
}

TEST_P(ProvisionerContract, SymbolicLinksOfTheInstanceAreNotFollowed) {
  auto* const sandbox = &common();
  const auto secret_file = scratch_ / "secret_file";
  std::ofstream(secret_file) << "secret";
  fs::permissions(secret_file, fs::perms(0600));
  const auto link = sandbox->paths().configuration / "link";
  ASSERT_TRUE(run(*sandbox, {"ln", "-s", secret_file.string(), link.string()}).succeeded());
  EXPECT_THROW(static_cast<void>(sandbox->read_file(link)), Error);
  sandbox->collect_logs(scratch_ / "collected");
  EXPECT_FALSE(fs::exists(scratch_ / "collected/configuration/link"));
  sandbox->write_file(link, "mine");
  EXPECT_EQ(sandbox->read_file(link), "mine");
  const auto directory = sandbox->paths().configuration / "directory";
  ASSERT_TRUE(run(*sandbox, {"ln", "-s", scratch_.string(), directory.string()}).succeeded());
  if (geteuid() == 0) {
    EXPECT_THROW(sandbox->write_file(directory / "secret_file", "mine"), Error);
  }
  std::ifstream stream(secret_file);
  std::string content;
  stream >> content;
  EXPECT_EQ(content, "secret");
}

TEST_P(ProvisionerContract, SizesAndResourcesAreMeasured) {
  auto asked = spec("drill-1");
  asked.memory = Bytes{std::uint64_t{64} << 20};
  asked.cpus = 1;
  const auto sandbox = provisioner_->create(asked, {});
  sandbox->write_file(sandbox->paths().data / "one", std::string(5000, 'x'));
  run(*sandbox, {"mkdir", (sandbox->paths().data / "base").string()});
  sandbox->write_file(sandbox->paths().data / "base/two", std::string(300, 'x'));
  EXPECT_EQ(sandbox->size_of(sandbox->paths().data).count, 5300U);
  EXPECT_EQ(sandbox->size_of(sandbox->paths().data / "none").count, 0U);
  EXPECT_GT(sandbox->free_space().count, 0U);
  EXPECT_EQ(sandbox->memory().count, std::uint64_t{64} << 20);
  EXPECT_EQ(sandbox->cpus(), 1);
  EXPECT_GT(common().memory().count, std::uint64_t{16} << 20);
  EXPECT_GE(common().cpus(), 1);
}

TEST_P(ProvisionerContract, LogsAreCollected) {
  auto* const sandbox = &common();
  sandbox->write_file(sandbox->paths().logs / "server.log", "LOG: hello\n");
  sandbox->write_file(sandbox->paths().configuration / "postgresql.conf", "fsync = off\n");
  sandbox->collect_logs(scratch_ / "collected");
  EXPECT_TRUE(fs::exists(scratch_ / "collected/postgres/server.log"));
  EXPECT_TRUE(fs::exists(scratch_ / "collected/configuration/postgresql.conf"));
}

TEST_P(ProvisionerContract, AServerRunsAcceptsConnectionsAndIsRemoved) {
  const auto sandbox = create("drill-1");
  ASSERT_NO_FATAL_FAILURE(start_server(*sandbox));
  auto parameters = sandbox->server();
  parameters["dbname"] = "postgres";
  {
    auto connection = Connection::open(parameters, {});
    connection.query("create extension amcheck");
    connection.query("create tablespace t location '" + sandbox->paths().tablespaces.string() +
                     "'");
    EXPECT_EQ(connection.query("select count(*) from pg_class").rows.size(), 1U);
  }
  const auto amcheck =
      run(*sandbox, {sandbox->program("pg_amcheck"), "-h", sandbox->paths().sockets.string(), "-U",
                     "postgres", "postgres"});
  EXPECT_TRUE(amcheck.succeeded()) << amcheck.error_output;
  EXPECT_THAT(processes_mentioning(sandbox->paths().root.string()), testing::Not(IsEmpty()));
  const auto root = sandbox->paths().root;
  const auto segment = guarding_segment(root);
  EXPECT_EQ(segment_exists(segment), GetParam().shares_memory);
  const auto removal = sandbox->destroy();
  EXPECT_THAT(removal.remaining, IsEmpty());
  EXPECT_THAT(join(removal.removed, "\n"), HasSubstr("directory " + root.string()));
  EXPECT_THAT(processes_mentioning(root.string()), IsEmpty());
  EXPECT_FALSE(fs::exists(root));
  EXPECT_FALSE(segment_exists(segment));
}

TEST_P(ProvisionerContract, ADeadlineAndAStopRequestEndACommandAndWhatItStarted) {
  auto* const sandbox = &common();
  const auto mark = sandbox->paths().root.string();
  // Other kinds of sandbox may be tested at the same time.
  const auto seconds = "86403" + std::to_string(getpid());
  const Command waits{.program = "sh",
                      .arguments = {"-c", "echo begun; sleep " + seconds + " & wait", mark},
                      .timeout = std::chrono::seconds(5),  // it has to begin before
                      .grace = std::chrono::seconds(2)};
  const auto late = sandbox->run(waits, {});
  EXPECT_TRUE(late.timed_out);
  EXPECT_EQ(late.output, "begun\n");
  EXPECT_EQ(late.signal, SIGTERM);
  std::stop_source stop;
  Command waits_long = waits;
  waits_long.timeout = std::chrono::minutes(10);
  waits_long.on_line = [&stop](std::string_view) { stop.request_stop(); };
  const auto stopped = sandbox->run(waits_long, stop.get_token());
  EXPECT_TRUE(stopped.cancelled);
  EXPECT_FALSE(stopped.timed_out);
  Command ignoring_sigterm = waits;
  ignoring_sigterm.arguments[1] = "trap '' TERM; echo begun; while :; do sleep 1; done";
  const auto killed = sandbox->run(ignoring_sigterm, {});
  EXPECT_TRUE(killed.timed_out);
  EXPECT_EQ(killed.signal, SIGKILL);
  EXPECT_THAT(processes_mentioning(seconds), IsEmpty());
  EXPECT_THAT(processes_mentioning(mark), testing::Each(testing::Not(HasSubstr("begun"))));
}

TEST_P(ProvisionerContract, ExitCodesStreamsAndMissingProgramsAreReported) {
  auto* const sandbox = &common();
  const auto result = run(*sandbox, {"sh", "-c", "echo out; echo err >&2; exit 7"});
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.error_output, "err\n");
  EXPECT_EQ(run(*sandbox, {"sh", "-c", "kill -9 $$"}).signal, SIGKILL);
  try {
    run(*sandbox, {"no-such-program"});
    FAIL() << "it ran";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment);
    EXPECT_EQ(error.code(), FindingCode::env_binary);
    EXPECT_EQ(error.object(), "no-such-program");
  }
}

TEST_P(ProvisionerContract, TheDestructorDestroys) {
  fs::path root;
  {
    const auto sandbox = create("drill-1");
    root = sandbox->paths().root;
    ASSERT_NO_FATAL_FAILURE(start_server(*sandbox));
  }
  EXPECT_FALSE(fs::exists(root));
  EXPECT_THAT(processes_mentioning(root.string()), IsEmpty());
  EXPECT_THAT(provisioner_->list(), IsEmpty());
}

TEST_P(ProvisionerContract, AKeptSandboxRemainsUntilItIsRemoved) {
  {
    const auto sandbox = create("drill-1");
    ASSERT_NO_FATAL_FAILURE(start_server(*sandbox));
    sandbox->keep();
    EXPECT_TRUE(find(provisioner_->list(), "drill-1")->alive);
  }
  const auto all = provisioner_->list();
  const auto* kept = find(all, "drill-1");
  ASSERT_NE(kept, nullptr);
  EXPECT_TRUE(kept->kept);
  EXPECT_FALSE(kept->alive);
  EXPECT_THAT(processes_mentioning(kept->root.string()), testing::Not(IsEmpty()));
  EXPECT_TRUE(provisioner_->remove(*kept).complete());
  EXPECT_THAT(processes_mentioning(kept->root.string()), IsEmpty());
  EXPECT_FALSE(fs::exists(kept->root));
  EXPECT_THAT(provisioner_->list(), IsEmpty());
}

TEST_P(ProvisionerContract, TwoSandboxesAreIndependent) {
  const auto one = create("drill-1");
  const auto two = create("drill-2");
  ASSERT_NO_FATAL_FAILURE(start_server(*one));
  ASSERT_NO_FATAL_FAILURE(start_server(*two));
  EXPECT_TRUE(one->destroy().complete());
  auto parameters = two->server();
  parameters["dbname"] = "postgres";
  EXPECT_EQ(Connection::open(parameters, {}).query("select 1").text(0, 0), "1");
}

TEST_P(ProvisionerContract, LeftoversOfAKilledOwnerAreRemovedAndThoseOfALiveOneAreNot) {
  const auto owner_of = [this](const std::string& run_id) {
    return fork_owner([this, run_id] {
      auto sandbox = create(run_id);
      ASSERT_NO_FATAL_FAILURE(start_server(*sandbox));
      // In its own session and outside the sandbox directory: only the label identifies it.
      run(*sandbox, {"sh", "-c",
                     "setsid sh -c 'touch $TMPDIR/ready; exec sleep 86400' & "
                     "until [ -e $TMPDIR/ready ]; do sleep 0.01; done"});
      abandon(std::move(sandbox));
    });
  };
  const pid_t dead = owner_of("dead");
  const pid_t live = owner_of("live");
  {
    const auto all = provisioner_->list();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_TRUE(all[0].alive && all[1].alive);
    EXPECT_THROW(provisioner_->remove(all[0]), Error);
  }
  kill_owner(dead);
  const auto all = provisioner_->list();
  const auto* leftover = find(all, "dead");
  ASSERT_NE(leftover, nullptr);
  EXPECT_FALSE(leftover->alive);
  EXPECT_TRUE(find(all, "live")->alive);
  const auto removal = provisioner_->remove(*leftover);
  EXPECT_THAT(removal.remaining, IsEmpty());
  EXPECT_THAT(join(removal.removed, "\n"), HasSubstr(GetParam().removed_process));
  EXPECT_THAT(processes_mentioning(leftover->root.string()), IsEmpty());
  EXPECT_FALSE(fs::exists(leftover->root));
  const auto root = find(all, "live")->root;
  EXPECT_THAT(processes_mentioning(root.string()), testing::Not(IsEmpty()));
  EXPECT_TRUE(fs::exists(root / GetParam().lasting_file));
  kill_owner(live);
  EXPECT_TRUE(provisioner_->remove(*find(all, "live")).complete());
}

TEST_P(ProvisionerContract, SharedMemoryOfAKilledServerIsRemoved) {
  const auto sandbox = create("drill-1");
  ASSERT_NO_FATAL_FAILURE(start_server(*sandbox));
  const auto record = sandbox->read_file(sandbox->paths().data / "postmaster.pid");
  const auto segment = guarding_segment(sandbox->paths().root);
  const auto postmaster = record.substr(0, record.find('\n'));
  ASSERT_TRUE(run(*sandbox, {"sh", "-c", "kill -9 " + postmaster}).succeeded());
  EXPECT_THAT(sandbox->destroy().remaining, IsEmpty());
  EXPECT_FALSE(segment_exists(segment));
}

TEST_P(ProvisionerContract, LeftoversOfAnOwnerKilledDuringCreationAreFound) {
  std::mt19937 random(1);
  const auto began = std::chrono::steady_clock::now();
  create("measured")->destroy();
  const auto span = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - began);
  std::uniform_int_distribution<std::int64_t> microseconds(0, span.count());
  const auto remove_leftovers = [&] {
    const auto leftovers = provisioner_->list();
    for (const auto& leftover : leftovers) {
      EXPECT_FALSE(leftover.alive);
      EXPECT_TRUE(provisioner_->remove(leftover).complete());
    }
    return leftovers.size();
  };
  std::size_t found = 0;
  for (int attempt = 0; attempt < GetParam().attempts_to_kill; ++attempt) {
    const auto run_id = "drill-" + std::to_string(attempt);
    const pid_t owner = fork();
    if (owner == 0) {
      abandon(create(run_id));
      while (true) pause();
    }
    std::this_thread::sleep_for(std::chrono::microseconds(microseconds(random)));
    kill_owner(owner);
    found += remove_leftovers();
    for (const auto& entry : fs::recursive_directory_iterator(scratch_)) {
      const bool unfinished = entry.path().string().ends_with(".json.new");
      EXPECT_TRUE(entry.path() == scratch_ / "state" || entry.path().filename() == "sandboxes" ||
                  unfinished)
          << entry.path();
    }
  }
  EXPECT_GT(found, 0);
  // The engine may have carried out the last owner's request after that.
  poll_until(std::chrono::steady_clock::now() + GetParam().longest_request,
             std::chrono::milliseconds(200), {}, [&] { return remove_leftovers() > 0; });
}

INSTANTIATE_TEST_SUITE_P(Sandboxes, ProvisionerContract, testing::ValuesIn(provisioner_kinds()),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace pgrehearse
