#include "tests/fakes/scripted_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using testing::ElementsAre;

Connection open(std::stop_token stop = {}) {
  return Connection::open({{"host", "/nowhere"}, {"dbname", "shop"}},
                          {.failure_kind = ErrorKind::recovery}, std::move(stop));
}

// The real Connection, up to and including its error handling.
TEST(ScriptedServer, AnswersInTurnAndRepeatsTheLast) {
  ScriptedServer server;
  server.on("from orders",
            {ScriptedServer::rows({{"1", "a"}, {"2", std::nullopt}}), ScriptedServer::row({"3"})});
  auto connection = open();
  const auto rows = connection.query("select * from orders");
  ASSERT_EQ(rows.rows.size(), 2U);
  EXPECT_EQ(rows.text(0, 1), "a");
  EXPECT_EQ(rows.rows[1][1], std::nullopt);
  EXPECT_EQ(connection.query("select * from orders").text(0, 0), "3");
  EXPECT_EQ(connection.query("select * from orders").text(0, 0), "3");
  EXPECT_EQ(server.connections().at(0).at("dbname"), "shop");
  EXPECT_EQ(connection.server_version(), 150004);
  EXPECT_EQ(connection.quote_identifier("a\"b"), "\"a\"\"b\"");
}

TEST(ScriptedServer, NewestRuleTakesPrecedence) {
  ScriptedServer server;
  server.on("select", ScriptedServer::row({"old"}));
  server.on("select 1", ScriptedServer::row({"new"}));
  auto connection = open();
  EXPECT_EQ(connection.query("select 1").text(0, 0), "new");
  EXPECT_EQ(connection.query("select 2").text(0, 0), "old");
  EXPECT_NONFATAL_FAILURE(EXPECT_THROW(connection.query("insert"), SqlError), "insert");
  EXPECT_THAT(server.statements(), ElementsAre("select 1", "select 2", "insert"));
}

TEST(ScriptedServer, AFailedStatementLeavesTheConnectionAndALostOneDoesNot) {
  ScriptedServer server;
  server.on("bad", ScriptedServer::Failure{"XX001", "invalid page in block 7"});
  server.on("good", ScriptedServer::row({"1"}));
  server.on("last", ScriptedServer::Lost{});
  auto connection = open();
  try {
    connection.query("bad");
    ADD_FAILURE() << "nothing was thrown";
  } catch (const SqlError& error) {
    EXPECT_EQ(error.kind(), ErrorKind::recovery);
    EXPECT_EQ(error.sqlstate(), "XX001");
    EXPECT_STREQ(error.what(), "invalid page in block 7");
  }
  EXPECT_EQ(connection.query("good").text(0, 0), "1");
  try {
    connection.query("last");
    ADD_FAILURE() << "nothing was thrown";
  } catch (const SqlError& error) {
    EXPECT_EQ(error.sqlstate(), "");
  }
  EXPECT_THROW(connection.query("good"), SqlError);
}

TEST(ScriptedServer, StopRequestCancelsARunningStatement) {
  ScriptedServer server;
  std::stop_source stop;
  server.on_call("sleep", [&](const auto&) {
    stop.request_stop();
    return ScriptedServer::Silence{};
  });
  auto connection = open(stop.get_token());
  try {
    connection.query("select pg_sleep(60)");
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
  EXPECT_EQ(server.cancelled(), 1);
}

TEST(ScriptedServer, RefusesAndAcceptsConnections) {
  EXPECT_THROW(open(), SqlError) << "no server is scripted";
  ScriptedServer server;
  server.refuse("FATAL:  the database system is starting up");
  EXPECT_THROW(open(), SqlError);
  server.accept();
  EXPECT_NO_THROW(open());
}

TEST(ScriptedServer, StreamsRowByRowAndPipelinesStatementByStatement) {
  ScriptedServer server;
  server.on("rows", ScriptedServer::rows({{"1"}, {"2"}, {"3"}}));
  server.on("bad", ScriptedServer::Failure{"42P01", "no such relation"});
  auto connection = open();
  std::string seen;
  connection.stream("rows", {}, [&](const auto& row) { seen += *row.at(0); });
  EXPECT_EQ(seen, "123");
  const std::vector<std::string> statements{"rows", "bad", "rows"};
  const auto results = connection.pipeline(statements);
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(results[0].rows.rows.size(), 3U);
  EXPECT_EQ(results[1].sqlstate, "42P01");
  EXPECT_EQ(results[2].rows.text(2, 0), "3");
}

}  // namespace
}  // namespace pgrehearse
