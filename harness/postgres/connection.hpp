// One libpq connection. Every wait ends at a deadline or a stop request; nothing hangs.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "harness/common/error.hpp"
#include "harness/postgres/connection_parameters.hpp"

struct pg_conn;

namespace pgrehearse {

// PostgreSQL's errcodes.txt: resources missing on the server's host, independent of the statement.
inline constexpr std::string_view sqlstate_disk_full = "53100";
inline constexpr std::string_view sqlstate_out_of_memory = "53200";
// undefined_function, undefined_table, undefined_object, invalid_schema_name: also what a function
// reports that needs another search_path.
bool is_undefined(std::string_view sqlstate);

// A statement failed; SQLSTATE is empty when the connection itself was lost.
class SqlError : public Error {
 public:
  SqlError(ErrorKind kind, const std::string& message, std::string sqlstate);
  // With the hint and the code of `cause`.
  SqlError(const Error& cause, std::string sqlstate);
  [[nodiscard]] const std::string& sqlstate() const { return sqlstate_; }

 private:
  std::string sqlstate_;
};

using Field = std::optional<std::string>;  // nullopt is SQL NULL

struct Rows {
  std::vector<std::string> columns;
  std::vector<std::vector<Field>> rows;

  // Row `row`, column `column` as text; empty for NULL. Throws std::out_of_range.
  [[nodiscard]] const std::string& text(std::size_t row, std::size_t column) const;
};

class Connection {
 public:
  struct Options {
    std::chrono::milliseconds connect_timeout{std::chrono::seconds(10)};
    std::chrono::milliseconds query_timeout{std::chrono::hours(1)};
    // Kind of errors of this connection: `environment` for the primary, `startup` or `recovery` for
    // the instance.
    ErrorKind failure_kind = ErrorKind::environment;
  };

  // Connects with settings that make text output comparable and safe (DateStyle ISO, TimeZone UTC,
  // extra_float_digits 3, IntervalStyle, bytea_output hex, search_path pg_catalog,
  // statement_timeout 0, application_name pgrehearse).
  // Throws SqlError(options.failure_kind); SqlError(environment) on a timeout.
  static Connection open(ConnectionParameters parameters, Options options, std::stop_token stop);
  static Connection open(ConnectionParameters parameters, std::stop_token stop) {
    return open(std::move(parameters), Options{}, std::move(stop));
  }

  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  // Runs one statement with text parameters $1..; a replication connection does not support
  // parameters. On a stop request the statement is canceled on the server and Error(interrupted) is
  // thrown; after the timeout, SqlError with the failure kind.
  Rows query(const std::string& sql, std::span<const Field> parameters = {});
  // Single-row mode: calls `on_row` for each row; memory stays bounded.
  void stream(const std::string& sql, std::span<const Field> parameters,
              const std::function<void(const std::vector<Field>&)>& on_row);
  // Many statements without parameters in libpq's pipeline mode, at most 200 in flight; results in
  // order. A failing statement has an error in its result; the others still run.
  struct PipelineResult {
    Rows rows;
    std::string error;     // empty on success
    std::string sqlstate;  // of the error
  };
  std::vector<PipelineResult> pipeline(std::span<const std::string> statements);

  // Streaming replication. start_copy() sends START_REPLICATION; from then on both sides send
  // messages until the server ends the stream. Throws SqlError.
  void start_copy(const std::string& sql);
  // Messages that have arrived; waits for the first one at most that long. nullopt: the server has
  // ended the stream. Throws SqlError.
  std::optional<std::vector<std::string>> receive_copied(std::chrono::milliseconds timeout);
  void send_copied(std::string_view message);

  [[nodiscard]] int server_version() const;  // as libpq gives it: 150004
  // For SQL built of identifiers.
  [[nodiscard]] std::string quote_identifier(std::string_view name) const;

 private:
  struct Closer {
    void operator()(pg_conn* connection) const;
  };
  using Handle = std::unique_ptr<pg_conn, Closer>;
  Connection(Handle handle, Options options, bool replication, std::stop_token stop);

  Handle handle_;
  Options options_;
  bool replication_ = false;  // replication connections support only the simple protocol
  std::stop_token stop_;
};

}  // namespace pgrehearse
