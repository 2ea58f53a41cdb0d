#include "harness/postgres/connection.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>

#include "harness/common/text.hpp"
#include "harness/common/throw_if_stopped.hpp"
#include "harness/postgres/session_settings.hpp"

namespace pgrehearse {

namespace {

using Clock = std::chrono::steady_clock;

struct ResultCloser {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, ResultCloser>;

// Wakes a poll() on a stop request.
class StopEvent {
 public:
  explicit StopEvent(const std::stop_token& stop)
      : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    callback_.emplace(stop, Wake{descriptor_});
  }
  StopEvent(const StopEvent&) = delete;
  StopEvent& operator=(const StopEvent&) = delete;
  ~StopEvent() {
    // First: another thread may be about to write to the descriptor.
    callback_.reset();
    close(descriptor_);
  }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  struct Wake {
    int descriptor;
    void operator()() const {
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto written = write(descriptor, &one, sizeof one);
    }
  };
  int descriptor_;
  std::optional<std::stop_callback<Wake>> callback_;
};

enum class Waited { ready, stopped, too_late };

Waited wait_for(int socket, short events, const StopEvent& stop, Clock::time_point deadline) {
  std::array<pollfd, 2> watched{{{.fd = socket, .events = events, .revents = 0},
                                 {.fd = stop.descriptor(), .events = POLLIN, .revents = 0}}};
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return Waited::too_late;
    const int count = poll(watched.data(), watched.size(),
                           static_cast<int>(std::min<std::int64_t>(left, 3'600'000)));
    if (count < 0 && errno != EINTR) return Waited::too_late;
    if (count > 0 && watched[1].revents != 0) return Waited::stopped;
    if (count > 0 && watched[0].revents != 0) return Waited::ready;
  }
}

std::string message_of(const char* text) { return std::string(trim(text == nullptr ? "" : text)); }

Error interrupted() { return {ErrorKind::interrupted, "interrupted"}; }

Rows rows_of(const PGresult* result) {
  Rows rows;
  const int columns = PQnfields(result);
  for (int column = 0; column < columns; ++column) {
    rows.columns.emplace_back(PQfname(result, column));
  }
  rows.rows.reserve(static_cast<std::size_t>(PQntuples(result)));
  for (int row = 0; row < PQntuples(result); ++row) {
    auto& fields = rows.rows.emplace_back();
    fields.reserve(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column) {
      if (PQgetisnull(result, row, column) != 0) {
        fields.emplace_back(std::nullopt);
      } else {
        fields.emplace_back(
            std::string(PQgetvalue(result, row, column),
                        static_cast<std::size_t>(PQgetlength(result, row, column))));
      }
    }
  }
  return rows;
}

bool is_failure(const PGresult* result) {
  const auto status = PQresultStatus(result);
  return status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_SINGLE_TUPLE &&
         status != PGRES_PIPELINE_SYNC && status != PGRES_EMPTY_QUERY;
}

std::string sqlstate_of(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state == nullptr ? "" : state;
}

std::string primary_message_of(const PGresult* result) {
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  return message == nullptr ? message_of(PQresultErrorMessage(result)) : message_of(message);
}

void cancel_at_server(pg_conn* connection) {
  const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> cancel(PQgetCancel(connection),
                                                                  &PQfreeCancel);
  std::array<char, 256> message{};
  if (cancel) PQcancel(cancel.get(), message.data(), static_cast<int>(message.size()));
}

// Waits for libpq's next result (nullptr at the end of a statement), never past deadline or stop.
class Conversation {
 public:
  Conversation(pg_conn* connection, const Connection::Options& options, const std::stop_token& stop)
      : connection_(connection),
        kind_(options.failure_kind),
        event_(stop),
        stop_(stop),
        deadline_(Clock::now() + options.query_timeout) {
    throw_if_stopped(stop_);
  }

  void flush() {
    while (true) {
      const int left = PQflush(connection_);
      if (left == 0) return;
      if (left < 0) lost();
      wait(POLLIN | POLLOUT);
      if (PQconsumeInput(connection_) == 0) lost();
    }
  }

  Result next() {
    while (PQisBusy(connection_) != 0) {
      wait(POLLIN);
      if (PQconsumeInput(connection_) == 0) lost();
    }
    return Result(PQgetResult(connection_));
  }

  // COPY ... TO STDOUT: each row is one field, as the server sends it.
  void read_copy(const std::function<void(const std::vector<Field>&)>& on_row) {
    while (true) {
      char* data = nullptr;
      const int length = PQgetCopyData(connection_, &data, 1);
      const std::unique_ptr<char, decltype(&PQfreemem)> row(data, &PQfreemem);
      if (length > 0) on_row({std::string(row.get(), static_cast<std::size_t>(length))});
      if (length < 0) return;  // the end, or an error that the next result has
      if (length > 0) continue;
      wait(POLLIN);
      if (PQconsumeInput(connection_) == 0) lost();
    }
  }

  // The first line only: libpq adds guesses about the cause.
  [[noreturn]] void lost() const {
    const auto message = message_of(PQerrorMessage(connection_));
    throw SqlError(kind_, message.substr(0, message.find('\n')), "");
  }

  // Reads the rest of a statement so that the connection can be used again, then throws.
  [[noreturn]] void fail(const PGresult* result) {
    const SqlError error(kind_, primary_message_of(result), sqlstate_of(result));
    while (next()) {
    }
    throw error;
  }

 private:
  void wait(short events) {
    switch (wait_for(PQsocket(connection_), events, event_, deadline_)) {
      case Waited::ready:
        return;
      case Waited::stopped:
        cancel_at_server(connection_);
        throw interrupted();
      case Waited::too_late:
        cancel_at_server(connection_);
        throw SqlError(kind_, "statement timeout", "57014");
    }
  }

  pg_conn* connection_;
  ErrorKind kind_;
  StopEvent event_;
  std::stop_token stop_;
  Clock::time_point deadline_;
};

std::vector<const char*> pointers_of(std::span<const Field> parameters) {
  std::vector<const char*> pointers;
  for (const auto& parameter : parameters) {
    pointers.push_back(parameter ? parameter->c_str() : nullptr);
  }
  return pointers;
}

void send_simple(pg_conn* connection, Conversation& conversation, const std::string& sql) {
  if (PQsendQuery(connection, sql.c_str()) == 0) conversation.lost();
  conversation.flush();
}

void send(pg_conn* connection, Conversation& conversation, const std::string& sql,
          std::span<const Field> parameters) {
  const auto values = pointers_of(parameters);
  if (PQsendQueryParams(connection, sql.c_str(), static_cast<int>(values.size()), nullptr,
                        values.data(), nullptr, nullptr, 0) == 0) {
    conversation.lost();
  }
  conversation.flush();
}

// The client_encoding to set: ALTER ROLE, ALTER DATABASE and PGCLIENTENCODING may have set any. In
// the startup packet, one that the server cannot convert to would refuse the session.
std::optional<std::string_view> missing_encoding(pg_conn* connection) {
  const char* server = PQparameterStatus(connection, "server_encoding");
  const char* client = PQparameterStatus(connection, "client_encoding");
  if (server == nullptr || client == nullptr) return {};
  const std::string_view encoding(server);
  const bool converts = encoding != "SQL_ASCII" && encoding != "MULE_INTERNAL";
  const std::string_view wanted = converts ? "UTF8" : "SQL_ASCII";
  return client == wanted ? std::nullopt : std::optional(wanted);
}

}  // namespace

bool is_undefined(std::string_view sqlstate) {
  return sqlstate == "42883" || sqlstate == "42P01" || sqlstate == "42704" || sqlstate == "3F000";
}

SqlError::SqlError(ErrorKind kind, const std::string& message, std::string sqlstate)
    : Error(kind, message), sqlstate_(std::move(sqlstate)) {}

SqlError::SqlError(const Error& cause, std::string sqlstate)
    : Error(cause), sqlstate_(std::move(sqlstate)) {}

const std::string& Rows::text(std::size_t row, std::size_t column) const {
  static const std::string empty;
  const auto& field = rows.at(row).at(column);
  return field ? *field : empty;
}

void Connection::Closer::operator()(pg_conn* connection) const { PQfinish(connection); }

Connection::Connection(Handle handle, Options options, bool replication, std::stop_token stop)
    : handle_(std::move(handle)),
      options_(options),
      replication_(replication),
      stop_(std::move(stop)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Connection Connection::open(ConnectionParameters parameters, Options options,
                            std::stop_token stop) {
  refuse_address_of_environment(parameters);
  auto& given = parameters["options"];
  given = fmt::format("{} {}", statement_options(), given);
  // Sessions are read-only by the options above: libpq would consider every server a standby.
  parameters["target_session_attrs"] = "any";
  parameters.try_emplace("application_name", "pgrehearse");
  // libpq applies connect_timeout only in blocking calls; the timeout is enforced below.
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : parameters) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  Handle handle(PQconnectStartParams(keywords.data(), values.data(), 0));
  if (!handle) throw Error(ErrorKind::environment, "out of memory");
  // By default libpq prints the server's notices to standard error.
  PQsetNoticeReceiver(
      handle.get(), [](void*, const PGresult*) {}, nullptr);
  const StopEvent event(stop);
  const auto deadline = Clock::now() + options.connect_timeout;
  while (true) {
    const auto status = PQconnectPoll(handle.get());
    if (status == PGRES_POLLING_OK) break;
    if (status == PGRES_POLLING_FAILED) {
      throw SqlError(options.failure_kind, message_of(PQerrorMessage(handle.get())), "");
    }
    const short wanted = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    const auto waited = wait_for(PQsocket(handle.get()), wanted, event, deadline);
    if (waited == Waited::stopped) throw interrupted();
    if (waited == Waited::too_late) {
      // A slow server has not failed.
      throw SqlError(ErrorKind::environment,
                     fmt::format("no response from {} within {}", describe(parameters),
                                 options.connect_timeout),
                     "");
    }
  }
  PQsetnonblocking(handle.get(), 1);
  const auto replication = parameters.find("replication");
  Connection connection(std::move(handle), options, replication != parameters.end(),
                        std::move(stop));
  const bool speaks_sql = replication == parameters.end() || replication->second == "database";
  const auto encoding = speaks_sql ? missing_encoding(connection.handle_.get()) : std::nullopt;
  if (encoding) connection.query(fmt::format("set client_encoding = '{}'", *encoding));
  return connection;
}

Rows Connection::query(const std::string& sql, std::span<const Field> parameters) {
  Conversation conversation(handle_.get(), options_, stop_);
  if (replication_) {
    send_simple(handle_.get(), conversation, sql);
  } else {
    send(handle_.get(), conversation, sql, parameters);
  }
  Rows rows;
  while (const auto result = conversation.next()) {
    if (is_failure(result.get())) conversation.fail(result.get());
    rows = rows_of(result.get());
  }
  return rows;
}

void Connection::stream(const std::string& sql, std::span<const Field> parameters,
                        const std::function<void(const std::vector<Field>&)>& on_row) {
  Conversation conversation(handle_.get(), options_, stop_);
  send(handle_.get(), conversation, sql, parameters);
  PQsetSingleRowMode(handle_.get());
  while (const auto result = conversation.next()) {
    if (PQresultStatus(result.get()) == PGRES_COPY_OUT) {
      conversation.read_copy(on_row);
      continue;
    }
    if (is_failure(result.get())) conversation.fail(result.get());
    if (PQresultStatus(result.get()) != PGRES_SINGLE_TUPLE) continue;
    for (const auto& row : rows_of(result.get()).rows) on_row(row);
  }
}

std::vector<Connection::PipelineResult> Connection::pipeline(
    std::span<const std::string> statements) {
  constexpr std::size_t batch_size = 200;
  std::vector<PipelineResult> results;
  results.reserve(statements.size());
  auto* connection = handle_.get();
  while (results.size() < statements.size()) {
    const auto batch = statements.subspan(results.size(),
                                          std::min(batch_size, statements.size() - results.size()));
    Conversation conversation(connection, options_, stop_);
    if (PQenterPipelineMode(connection) == 0) conversation.lost();
    for (const auto& sql : batch) {
      // A synchronization point after each, so that a failing statement does not affect others.
      if (PQsendQueryParams(connection, sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) ==
              0 ||
          PQpipelineSync(connection) == 0) {
        conversation.lost();
      }
    }
    conversation.flush();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      auto& outcome = results.emplace_back();
      while (true) {
        const auto result = conversation.next();
        if (!result) {
          if (PQstatus(connection) == CONNECTION_BAD) conversation.lost();
          continue;
        }
        if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) break;
        if (is_failure(result.get())) {
          outcome.error = primary_message_of(result.get());
          outcome.sqlstate = sqlstate_of(result.get());
        } else {
          // After stream(), libpq may still return rows one by one.
          auto rows = rows_of(result.get());
          outcome.rows.columns = std::move(rows.columns);
          std::move(rows.rows.begin(), rows.rows.end(), std::back_inserter(outcome.rows.rows));
        }
      }
    }
    PQexitPipelineMode(connection);
  }
  return results;
}

void Connection::start_copy(const std::string& sql) {
  Conversation conversation(handle_.get(), options_, stop_);
  send_simple(handle_.get(), conversation, sql);
  const auto result = conversation.next();
  if (result && PQresultStatus(result.get()) == PGRES_COPY_BOTH) return;
  if (result && is_failure(result.get())) conversation.fail(result.get());
  throw SqlError(options_.failure_kind, "the server does not stream WAL", "");
}

std::optional<std::vector<std::string>> Connection::receive_copied(
    std::chrono::milliseconds timeout) {
  auto* connection = handle_.get();
  Conversation conversation(connection, options_, stop_);
  std::vector<std::string> messages;
  for (bool waited = false;; waited = true) {
    while (true) {
      char* data = nullptr;
      const int length = PQgetCopyData(connection, &data, 1);
      const std::unique_ptr<char, decltype(&PQfreemem)> message(data, &PQfreemem);
      if (length == 0) break;
      if (length == -2) conversation.lost();
      if (length == -1) {
        const auto result = conversation.next();
        if (result && is_failure(result.get()) && PQresultStatus(result.get()) != PGRES_COPY_IN) {
          throw SqlError(options_.failure_kind, primary_message_of(result.get()),
                         sqlstate_of(result.get()));
        }
        return {};
      }
      messages.emplace_back(message.get(), static_cast<std::size_t>(length));
    }
    if (waited || !messages.empty()) return messages;
    const StopEvent event(stop_);
    const auto outcome = wait_for(PQsocket(connection), POLLIN, event, Clock::now() + timeout);
    if (outcome == Waited::stopped) throw interrupted();
    if (outcome == Waited::ready && PQconsumeInput(connection) == 0) conversation.lost();
  }
}

void Connection::send_copied(std::string_view message) {
  Conversation conversation(handle_.get(), options_, stop_);
  if (PQputCopyData(handle_.get(), message.data(), static_cast<int>(message.size())) != 1) {
    conversation.lost();
  }
  conversation.flush();
}

int Connection::server_version() const { return PQserverVersion(handle_.get()); }

std::string Connection::quote_identifier(std::string_view name) const {
  char* quoted = PQescapeIdentifier(handle_.get(), name.data(), name.size());
  if (quoted == nullptr)
    throw Error(ErrorKind::internal, message_of(PQerrorMessage(handle_.get())));
  std::string text(quoted);
  PQfreemem(quoted);
  return text;
}

}  // namespace pgrehearse
