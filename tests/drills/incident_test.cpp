// A table is dropped, another one truncated, rows of a third are deleted: find the transactions,
// recover to before each of them, and get the rows back.
#include <fmt/format.h>

#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "harness/common/poll_until.hpp"
#include "tests/drills/drill_fixture.hpp"

namespace pgrehearse {
namespace {

using Json = nlohmann::json;

class Incident : public DrillTest {
 protected:
  void SetUp() override {
    DrillTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    primary = make_laboratory();
    primary->connect("postgres", {}).query("create database shop");
    sql("create table orders (id int primary key, note text)");
    sql("create table items (id int primary key, order_id int, note text)");
    sql("create table events (id int primary key, note text)");
    sql("insert into orders select g, 'order ' || g from generate_series(1, 2000) g");
    sql("insert into items select g, g, E'item\\t' || g || E'\\n''quoted''' "
        "from generate_series(1, 2000) g");
    sql("insert into events select g, null from generate_series(1, 500) g");
    primary->back_up(BackupType::full, {});
  }

  std::string sql(const std::string& statement) const {
    auto connection = primary->connect("shop", {});
    connection.query("set search_path = public");
    const auto rows = connection.query(statement);
    return rows.rows.empty() ? std::string() : rows.text(0, 0);
  }
  // Runs the statement in a transaction of its own and returns its number.
  std::uint32_t transaction(const std::string& statement) const {
    auto connection = primary->connect("shop", {});
    connection.query("set search_path = public");
    connection.query("begin");
    connection.query(statement);
    const auto xid = connection.query("select pg_current_xact_id()").text(0, 0);
    connection.query("commit");
    return static_cast<std::uint32_t>(std::stoul(xid));
  }
  [[nodiscard]] std::vector<std::string> stanza() const {
    return {"--stanza", primary->options().stanza, "--config",
            primary->paths().configuration.native()};
  }
  DrillRun run(std::vector<std::string> arguments, bool of_stanza = true) {
    if (of_stanza) {
      const auto more = stanza();
      arguments.insert(arguments.end(), more.begin(), more.end());
    }
    arguments.insert(arguments.end(), {"--format", "json", "--quiet"});
    return pgrehearse(std::move(arguments));
  }
  std::vector<std::uint32_t> located(const std::vector<std::string>& question) {
    auto arguments = question;
    arguments.insert(arguments.begin(), "locate");
    const auto done = run(arguments);
    EXPECT_EQ(done.exit_code, 0) << done.text();
    std::vector<std::uint32_t> xids;
    const auto json = Json::parse(done.output, nullptr, false);
    if (json.is_discarded()) return xids;
    for (const auto& candidate : json.at("candidates")) xids.push_back(candidate.at("xid"));
    return xids;
  }

  std::unique_ptr<Laboratory> primary;
};

using Xids = std::vector<std::uint32_t>;

TEST_F(Incident, FromLossToRows) {
  sql("insert into events values (501, 'after the backup')");
  // The table gets a new file before the incident.
  sql("vacuum full items");
  const auto before = sql("select count(*) from items");
  const auto deleted = transaction("delete from items where id % 100 = 7");
  sql("update items set note = 'changed later' where id = 1");
  const auto truncated = transaction("truncate events");
  sql("insert into events values (600, 'after the truncate')");
  const auto dropped = transaction("drop table orders");
  sql("insert into events values (601, 'after the drop')");
  primary->switch_wal_and_wait({});

  EXPECT_EQ(located({"--dropped", "shop.public.orders"}), Xids{dropped});
  EXPECT_EQ(located({"--truncated", "shop.public.events"}), Xids{truncated});
  EXPECT_EQ(located({"--deleted-from", "shop.public.items", "--at-least", "10"}), Xids{deleted});

  // One restore for three targets, given in another order. In the last, the table is locked.
  const auto dump = scratch / "orders.dump";
  const auto several =
      run({"recover", "--to", fmt::format("before:{}", dropped), "--to",
           fmt::format("before:{}", deleted), "--to", fmt::format("before:{}", truncated), "--dump",
           "shop.public.orders=" + dump.native()});
  ASSERT_EQ(several.exit_code, 0) << several.text();
  const auto report = report_from_json(several.output);
  EXPECT_EQ(report.verdict, Verdict::pass);
  ASSERT_EQ(report.stops.size(), 2U);
  EXPECT_EQ(report.stops[0].landing.first_withheld->xid, deleted);
  EXPECT_EQ(report.stops[1].landing.first_withheld->xid, truncated);
  ASSERT_TRUE(report.landing.has_value());
  EXPECT_TRUE(report.landing->proved) << report.landing->proof;
  EXPECT_EQ(report.landing->first_withheld->xid, dropped);
  for (const int number : {1, 2, 3}) {
    EXPECT_TRUE(std::filesystem::exists(scratch / fmt::format("orders.{}.dump", number)));
  }

  // A copy before the DELETE: its rows as SQL, applied by the test.
  const auto recovered =
      run({"recover", "--to", fmt::format("before:{}", deleted), "--keep", "--for", "1h"});
  ASSERT_EQ(recovered.exit_code, 0) << recovered.text();
  const auto lost = scratch / "lost.sql";
  const auto diff = run({"copies", "diff", "--table", "shop.public.items", "--against",
                         primary->dsn("shop"), "--sql", lost, "--csv", scratch / "lost.csv"},
                        false);
  ASSERT_EQ(diff.exit_code, 1) << diff.text();
  const auto counts = Json::parse(diff.output);
  EXPECT_EQ(counts.at("only_in_copy"), 20);
  EXPECT_EQ(counts.at("changed"), 1);
  EXPECT_EQ(counts.at("only_in_primary"), 0);
  std::ifstream in(lost);
  const std::string rescue(std::istreambuf_iterator<char>(in), {});
  primary->run_script("rescue", "\\connect shop\n" + rescue, {}, {});
  EXPECT_EQ(sql("select count(*) from items"), before);
  EXPECT_EQ(sql("select note from items where id = 107"), "item\t107\n'quoted'");
  EXPECT_EQ(sql("select note from items where id = 1"), "changed later");

  // The same copy, further on.
  const auto advanced = run({"copies", "advance", "--to", fmt::format("xid:{}", truncated)}, false);
  EXPECT_EQ(advanced.exit_code, 0) << advanced.text();
  const auto listed = Json::parse(run({"copies"}, false).output);
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].at("state"), "paused");
  EXPECT_EQ(listed[0].at("target"), fmt::format("xid:{}", truncated));
  const auto back = run({"copies", "advance", "--to", "before:0/1"}, false);
  EXPECT_EQ(back.exit_code, 3) << back.text();
  EXPECT_EQ(
      run({"copies", "dump", "--dump", "shop.public.events=" + (scratch / "events.dump").native()},
          false)
          .exit_code,
      0);
  EXPECT_EQ(run({"copies", "promote"}, false).exit_code, 0);
  EXPECT_EQ(Json::parse(run({"copies"}, false).output)[0].at("state"), "open");
  EXPECT_EQ(run({"copies", "remove"}, false).exit_code, 0);
  std::filesystem::remove(state / "copies");
  expect_nothing_left();
}

TEST_F(Incident, ACopyAtTheLastOfSeveralTargetsKeepsRunning) {
  const auto first = transaction("insert into events values (501, 'first')");
  const auto second = transaction("insert into events values (502, 'second')");
  const auto third = transaction("insert into events values (503, 'third')");
  primary->switch_wal_and_wait({});
  const auto kept = run({"recover", "--to", fmt::format("xid:{}", first), "--to",
                         fmt::format("xid:{}", second), "--keep"});
  ASSERT_EQ(kept.exit_code, 0) << kept.text();
  const auto id = report_from_json(kept.output).id;
  // A standby asks for WAL again and again, also when nobody is there to fetch it.
  std::this_thread::sleep_for(std::chrono::seconds(3));
  const auto state_of_copy = [&] {
    for (const auto& copy : Json::parse(run({"copies"}, false).output)) {
      if (copy.at("run_id") == id) return copy.at("state").get<std::string>();
    }
    return std::string("none");
  };
  EXPECT_EQ(state_of_copy(), "paused");
  const auto advanced = run({"copies", "advance", id, "--to", fmt::format("xid:{}", third)}, false);
  EXPECT_EQ(advanced.exit_code, 0) << advanced.text();
  EXPECT_EQ(state_of_copy(), "paused");
  pgrehearse({"clean", "--kept"});
  std::filesystem::remove(state / "copies");
  expect_nothing_left();
}

// `copies share` until the test ends it.
class Sharing {
 public:
  Sharing(CommandRunner& runner, std::vector<std::string> arguments) {
    thread_ = std::jthread([this, &runner, arguments = std::move(arguments)] {
      auto result = runner.run({.program = PGREHEARSE_BINARY,
                                .arguments = arguments,
                                .timeout = std::chrono::minutes(5),
                                .on_line =
                                    [this](std::string_view line) {
                                      const std::lock_guard lock(mutex_);
                                      first_line_ = line;
                                    }},
                               stop_.get_token());
      const std::lock_guard lock(mutex_);
      ended_ = result.error_output + " ";
    });
  }
  ~Sharing() { stop_.request_stop(); }

  // What it printed when it was ready; null if it ended before.
  Json ready() {
    poll_until(std::chrono::steady_clock::now() + std::chrono::minutes(1),
               std::chrono::milliseconds(20), {}, [&] {
                 const std::lock_guard lock(mutex_);
                 return !first_line_.empty() || !ended_.empty();
               });
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(ended_, "");
    return first_line_.empty() ? Json() : Json::parse(first_line_);
  }

 private:
  std::stop_source stop_;
  std::mutex mutex_;
  std::string first_line_;
  std::string ended_;
  std::jthread thread_;
};

TEST_F(Incident, OtherAccountsUseASharedCopyAsOneRole) {
  primary->switch_wal_and_wait({});
  const auto kept = run({"recover", "--to", "immediate", "--keep"});
  ASSERT_EQ(kept.exit_code, 0) << kept.text();
  const auto id = report_from_json(kept.output).id;
  const bool root = geteuid() == 0;
  const std::string stranger = "nobody";
  const std::string friendly = root ? "daemon" : current_account().name;
  const std::vector<std::string> share{"copies",       "share",    id,      "shop",
                                       "--allow",      friendly,   "--tcp", "--state",
                                       state.native(), "--format", "json"};
  const auto psql = [&](const std::string& connection, const std::string& statement,
                        const std::string& account = {}) {
    Command command{.program = "psql",
                    .arguments = {"-XAtq", "-d", connection, "-c", statement},
                    .timeout = std::chrono::minutes(1)};
    if (root && !account.empty()) command.account = find_account(account);
    return runner.run(command, {});
  };

  // No role can be created in a paused copy.
  const auto paused = pgrehearse({"copies", "share", id, "--tcp"});
  EXPECT_EQ(paused.exit_code, 3) << paused.text();
  EXPECT_NE(paused.error_output.find("the copy is paused"), std::string::npos) << paused.text();
  const auto superuser = pgrehearse({"copies", "share", id, "--tcp", "--role", "postgres"});
  EXPECT_EQ(superuser.exit_code, 3) << superuser.text();
  EXPECT_NE(superuser.error_output.find("is a superuser"), std::string::npos) << superuser.text();
  EXPECT_EQ(pgrehearse({"copies", "share", id}).exit_code, 3);
  EXPECT_EQ(pgrehearse({"copies", "share", id, "--allow", "no-such-account"}).exit_code, 3);
  EXPECT_EQ(pgrehearse({"copies", "share", id, "--allow", "@no-such-group"}).exit_code, 3);

  ASSERT_EQ(run({"copies", "promote"}, false).exit_code, 0);
  {
    Sharing sharing(runner, share);
    const auto ready = sharing.ready();
    ASSERT_TRUE(ready.is_object());
    const auto by_socket = fmt::format("host={} user=pgrehearse_reader dbname=shop",
                                       ready.at("host").get<std::string>());
    const auto url = ready.at("url").get<std::string>();
    for (const auto& connection : {by_socket, url}) {
      const auto read = psql(connection, "select count(*) from orders", friendly);
      EXPECT_EQ(read.output, "2000\n") << read.error_output;
      const auto write = psql(connection, "delete from orders", friendly);
      EXPECT_NE(write.error_output.find("read-only transaction"), std::string::npos)
          << write.error_output;
      const auto forced = psql(connection, "begin read write; delete from orders", friendly);
      EXPECT_NE(forced.error_output.find("permission denied"), std::string::npos)
          << forced.error_output;
    }
    const auto as_superuser = psql(by_socket + " user=postgres", "select 1", friendly);
    EXPECT_NE(as_superuser.error_output.find("shared as role"), std::string::npos)
        << as_superuser.error_output;
    auto wrong = url;
    wrong[wrong.find('@') - 1] = '0';  // no password contains it
    EXPECT_NE(psql(wrong, "select 1").error_output.find("password authentication failed"),
              std::string::npos);
    if (root) {
      const auto refused = psql(by_socket, "select 1", stranger);
      EXPECT_NE(refused.error_output.find("may not use the copy"), std::string::npos)
          << refused.error_output;
    }
    const auto twice = pgrehearse({"copies", "share", id, "--allow", friendly});
    EXPECT_EQ(twice.exit_code, 2) << twice.text();
    EXPECT_NE(twice.error_output.find("shared already"), std::string::npos) << twice.text();
    EXPECT_EQ(pgrehearse({"copies", "remove", id}).exit_code, 0);
    EXPECT_NE(psql(url, "select 1").error_output.find("the copy is not running"),
              std::string::npos);
  }
  std::filesystem::remove(state / "copies");
  expect_nothing_left();
}

TEST_F(Incident, AnExpiredCopyIsRemovedByClean) {
  primary->switch_wal_and_wait({});
  const auto kept = run({"recover", "--to", "immediate", "--keep", "--for", "1s"});
  ASSERT_EQ(kept.exit_code, 0) << kept.text();
  const auto removed = [&] {
    EXPECT_EQ(pgrehearse({"clean"}).exit_code, 0);
    return Json::parse(run({"copies"}, false).output).empty();
  };
  EXPECT_TRUE(poll_until(std::chrono::steady_clock::now() + std::chrono::minutes(2),
                         std::chrono::milliseconds(200), {}, removed));
  std::filesystem::remove(state / "copies");
  expect_nothing_left();
}

TEST_F(Incident, WhatCannotBeReachedIsRefusedBeforeItStarts) {
  primary->switch_wal_and_wait({});
  const auto future = run({"recover", "--to", "2026-10-25 02:30", "--zone", "Europe/Berlin"});
  EXPECT_EQ(future.exit_code, 3);
  EXPECT_NE(future.error_output.find("occurs twice"), std::string::npos) << future.text();
  const auto unknown = run({"locate", "--dropped", "shop.public.no_such_table"});
  EXPECT_EQ(unknown.exit_code, 3) << unknown.text();
  EXPECT_FALSE(std::filesystem::exists(state / "runs" / "recover-demo"));
}

}  // namespace
}  // namespace pgrehearse
