#include "tests/fakes/scripted_server.hpp"

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>

namespace pgrehearse {

namespace {

std::atomic<ScriptedServer*> current_server{nullptr};

}  // namespace

ScriptedServer::ScriptedServer() {
  ScriptedServer* none = nullptr;
  if (!current_server.compare_exchange_strong(none, this)) {
    ADD_FAILURE() << "there is another scripted server";
  }
}

ScriptedServer::~ScriptedServer() { current_server = nullptr; }

Rows ScriptedServer::rows(std::vector<std::vector<Field>> values) {
  Rows rows;
  const auto width = values.empty() ? 0 : values.front().size();
  for (std::size_t i = 0; i < width; ++i) rows.columns.push_back("column" + std::to_string(i));
  rows.rows = std::move(values);
  return rows;
}

ScriptedServer& ScriptedServer::on(const std::string& text, Answer answer) {
  return on(text, std::vector<Answer>{std::move(answer)});
}

ScriptedServer& ScriptedServer::on(const std::string& text, std::vector<Answer> answers) {
  return on_call(text,
                 [answers = std::move(answers), next = std::size_t{0}](const std::string&) mutable {
                   const auto& answer = answers.at(next);
                   if (next + 1 < answers.size()) ++next;
                   return answer;
                 });
}

ScriptedServer& ScriptedServer::on_call(const std::string& text, Respond respond) {
  const std::lock_guard lock(mutex_);
  rules_.push_back({text, std::move(respond)});
  return *this;
}

void ScriptedServer::refuse(const std::string& message) {
  const std::lock_guard lock(mutex_);
  reception_ = Reception::refused;
  refusal_ = message;
}

void ScriptedServer::ignore() {
  const std::lock_guard lock(mutex_);
  reception_ = Reception::ignored;
}

void ScriptedServer::accept() {
  const std::lock_guard lock(mutex_);
  reception_ = Reception::accepted;
}

void ScriptedServer::set_version(int version) {
  const std::lock_guard lock(mutex_);
  version_ = version;
}

std::vector<std::string> ScriptedServer::statements() const {
  const std::lock_guard lock(mutex_);
  return statements_;
}

std::vector<ConnectionParameters> ScriptedServer::connections() const {
  const std::lock_guard lock(mutex_);
  return connections_;
}

int ScriptedServer::cancelled() const {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

ScriptedServer::Reception ScriptedServer::receive(ConnectionParameters parameters,
                                                  std::string& message, int& version) {
  const std::lock_guard lock(mutex_);
  connections_.push_back(std::move(parameters));
  message = refusal_;
  version = version_;
  return reception_;
}

ScriptedServer::Answer ScriptedServer::answer(const std::string& sql) {
  const std::lock_guard lock(mutex_);
  const auto rule = std::find_if(rules_.rbegin(), rules_.rend(), [&](const Rule& one) {
    return sql.find(one.text) != std::string::npos;
  });
  // What InstanceSessions asks first in each session: the right server, and a superuser.
  if (rule == rules_.rend() && sql.find("data_directory") != std::string::npos) {
    return row({"", "t", "on", {}});
  }
  // What Primary sets in each session.
  if (rule == rules_.rend() && sql == "set idle_session_timeout = 0") return row({});
  statements_.push_back(sql);
  if (rule == rules_.rend()) {
    ADD_FAILURE() << "a statement that the test did not script: " << sql;
    return Failure{.sqlstate = "XX000", .message = "not scripted"};
  }
  return rule->respond(sql);
}

void ScriptedServer::cancel() {
  const std::lock_guard lock(mutex_);
  ++cancelled_;
}

}  // namespace pgrehearse

using pgrehearse::ConnectionParameters;
using pgrehearse::Rows;
using pgrehearse::ScriptedServer;

struct pg_result {
  ExecStatusType status = PGRES_TUPLES_OK;
  Rows rows;
  ScriptedServer::Failure failure;
};

struct pg_conn {
  ScriptedServer* server = nullptr;
  ScriptedServer::Reception reception = ScriptedServer::Reception::refused;
  int version = 0;
  bool lost = false;
  bool silent = false;
  bool pipeline = false;
  std::string message;
  std::deque<std::unique_ptr<pg_result>> results;       // nullptr: the end of a statement
  int socket = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);  // never ready: there is nothing to wait for
};

struct pg_cancel {
  ScriptedServer* server = nullptr;
};

namespace {

std::unique_ptr<pg_result> result_of(const ScriptedServer::Answer& answer) {
  auto result = std::make_unique<pg_result>();
  if (const auto* rows = std::get_if<Rows>(&answer)) {
    result->rows = *rows;
    if (rows->columns.empty()) result->status = PGRES_COMMAND_OK;
  } else {
    result->status = PGRES_FATAL_ERROR;
    result->failure = std::get<ScriptedServer::Failure>(answer);
  }
  return result;
}

int send(PGconn* conn, const char* sql) {
  if (conn->lost) return 0;
  const auto answer = conn->server->answer(sql);
  if (const auto* lost = std::get_if<ScriptedServer::Lost>(&answer)) {
    conn->lost = true;
    conn->message = lost->message;
    return 0;
  }
  conn->silent = std::holds_alternative<ScriptedServer::Silence>(answer);
  if (conn->silent) return 1;
  conn->results.push_back(result_of(answer));
  conn->results.push_back(nullptr);
  return 1;
}

}  // namespace

extern "C" {

PGconn* PQconnectStartParams(const char* const* keywords, const char* const* values,
                             int /*expand_dbname*/) {
  auto* conn = new pg_conn;
  conn->server = pgrehearse::current_server;
  if (conn->server == nullptr) {
    conn->message = "no server is scripted";
    return conn;
  }
  ConnectionParameters parameters;
  for (; *keywords != nullptr; ++keywords, ++values) parameters[*keywords] = *values;
  conn->reception = conn->server->receive(std::move(parameters), conn->message, conn->version);
  return conn;
}

PostgresPollingStatusType PQconnectPoll(PGconn* conn) {
  switch (conn->reception) {
    case ScriptedServer::Reception::accepted:
      return PGRES_POLLING_OK;
    case ScriptedServer::Reception::refused:
      return PGRES_POLLING_FAILED;
    case ScriptedServer::Reception::ignored:
      break;
  }
  return PGRES_POLLING_READING;
}

void PQfinish(PGconn* conn) {
  if (conn == nullptr) return;
  close(conn->socket);
  delete conn;
}

PQnoticeReceiver PQsetNoticeReceiver(PGconn* /*conn*/, PQnoticeReceiver /*receiver*/,
                                     void* /*argument*/) {
  return nullptr;
}

int PQsetnonblocking(PGconn* /*conn*/, int /*on*/) { return 0; }
const char* PQparameterStatus(const PGconn* /*conn*/, const char* /*name*/) { return nullptr; }
int PQgetCopyData(PGconn* /*conn*/, char** /*buffer*/, int /*async*/) { return -1; }
int PQputCopyData(PGconn* /*conn*/, const char* /*buffer*/, int /*length*/) { return -1; }
int PQsocket(const PGconn* conn) { return conn->socket; }
int PQserverVersion(const PGconn* conn) { return conn->version; }
char* PQerrorMessage(const PGconn* conn) { return const_cast<char*>(conn->message.c_str()); }
ConnStatusType PQstatus(const PGconn* conn) { return conn->lost ? CONNECTION_BAD : CONNECTION_OK; }

int PQsendQuery(PGconn* conn, const char* sql) { return send(conn, sql); }

int PQsendQueryParams(PGconn* conn, const char* sql, int /*count*/, const Oid* /*types*/,
                      const char* const* /*values*/, const int* /*lengths*/, const int* /*formats*/,
                      int /*result_format*/) {
  return send(conn, sql);
}

int PQflush(PGconn* /*conn*/) { return 0; }
int PQconsumeInput(PGconn* conn) { return conn->lost ? 0 : 1; }
int PQisBusy(PGconn* conn) { return conn->silent ? 1 : 0; }

PGresult* PQgetResult(PGconn* conn) {
  if (conn->results.empty()) return nullptr;
  auto result = std::move(conn->results.front());
  conn->results.pop_front();
  return result.release();
}

void PQclear(PGresult* result) { delete result; }

// What is waiting becomes one result per row and an empty one.
int PQsetSingleRowMode(PGconn* conn) {
  std::deque<std::unique_ptr<pg_result>> single;
  for (auto& result : conn->results) {
    if (result && result->status == PGRES_TUPLES_OK) {
      for (auto& row : std::exchange(result->rows.rows, {})) {
        auto one = std::make_unique<pg_result>();
        one->status = PGRES_SINGLE_TUPLE;
        one->rows = {.columns = result->rows.columns, .rows = {std::move(row)}};
        single.push_back(std::move(one));
      }
    }
    single.push_back(std::move(result));
  }
  conn->results = std::move(single);
  return 1;
}

int PQenterPipelineMode(PGconn* conn) {
  conn->pipeline = !conn->lost;
  return conn->pipeline ? 1 : 0;
}

int PQexitPipelineMode(PGconn* conn) {
  conn->pipeline = false;
  return 1;
}

int PQpipelineSync(PGconn* conn) {
  auto sync = std::make_unique<pg_result>();
  sync->status = PGRES_PIPELINE_SYNC;
  conn->results.push_back(std::move(sync));
  return 1;
}

ExecStatusType PQresultStatus(const PGresult* result) { return result->status; }

char* PQresultErrorMessage(const PGresult* result) {
  return const_cast<char*>(result->failure.message.c_str());
}

char* PQresultErrorField(const PGresult* result, int field) {
  if (field == PG_DIAG_SQLSTATE) return const_cast<char*>(result->failure.sqlstate.c_str());
  if (field == PG_DIAG_MESSAGE_PRIMARY) return PQresultErrorMessage(result);
  return nullptr;
}

int PQntuples(const PGresult* result) { return static_cast<int>(result->rows.rows.size()); }
int PQnfields(const PGresult* result) { return static_cast<int>(result->rows.columns.size()); }

char* PQfname(const PGresult* result, int column) {
  return const_cast<char*>(result->rows.columns.at(static_cast<std::size_t>(column)).c_str());
}

int PQgetisnull(const PGresult* result, int row, int column) {
  return result->rows.rows.at(static_cast<std::size_t>(row))
                 .at(static_cast<std::size_t>(column))
                 .has_value()
             ? 0
             : 1;
}

char* PQgetvalue(const PGresult* result, int row, int column) {
  return const_cast<char*>(
      result->rows.text(static_cast<std::size_t>(row), static_cast<std::size_t>(column)).c_str());
}

int PQgetlength(const PGresult* result, int row, int column) {
  return static_cast<int>(
      result->rows.text(static_cast<std::size_t>(row), static_cast<std::size_t>(column)).size());
}

PGcancel* PQgetCancel(PGconn* conn) { return new pg_cancel{.server = conn->server}; }
void PQfreeCancel(PGcancel* cancel) { delete cancel; }

int PQcancel(PGcancel* cancel, char* /*message*/, int /*size*/) {
  cancel->server->cancel();
  return 1;
}

char* PQescapeIdentifier(PGconn* /*conn*/, const char* text, std::size_t length) {
  std::string quoted = "\"";
  for (const char c : std::string(text, length)) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return strdup((quoted + "\"").c_str());
}

void PQfreemem(void* memory) { std::free(memory); }

}  // extern "C"
