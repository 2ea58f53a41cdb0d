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

// PostgreSQL's errcodes.txt: what the server's place lacks, whatever it was asked.
inline constexpr std::string_view sqlstate_disk_full = "53100";
inline constexpr std::string_view sqlstate_out_of_memory = "53200";

// A statement failed; SQLSTATE is empty when the connection itself was lost.
class SqlError : public Error {
 public:
  SqlError(ErrorKind kind, const std::string& message, std::string sqlstate);
  // One that says what to do: `cause` has the hint and the code.
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
    // What a failure of this connection says about the drill: `environment` for the primary,
    // `startup` or `recovery` for the instance.
    ErrorKind failure_kind = ErrorKind::environment;
  };

  // Connects with settings that make text output comparable and safe (DateStyle ISO, TimeZone UTC,
  // extra_float_digits 3, IntervalStyle, bytea_output hex, search_path pg_catalog,
  // statement_timeout 0, application_name pgrehearse).
  // Throws SqlError(options.failure_kind); SqlError(environment) when nobody answers in time.
  static Connection open(ConnectionParameters parameters, Options options, std::stop_token stop);
  static Connection open(ConnectionParameters parameters, std::stop_token stop) {
    return open(std::move(parameters), Options{}, std::move(stop));
  }

  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  // One statement with text parameters $1.. ; without on a replication connection. On a stop
  // request the statement is cancelled at the server and Error(interrupted) is thrown; past the
  // deadline SqlError with the failure kind.
  Rows query(const std::string& sql, std::span<const Field> parameters = {});
  // Single-row mode: calls `on_row` for each row; memory stays bounded.
  void stream(const std::string& sql, std::span<const Field> parameters,
              const std::function<void(const std::vector<Field>&)>& on_row);
  // Many statements without parameters in libpq's pipeline mode, at most 200 in flight; results in
  // order. A failing statement gives an error text in its place, the others still run.
  struct PipelineResult {
    Rows rows;
    std::string error;     // empty on success
    std::string sqlstate;  // of the error
  };
  std::vector<PipelineResult> pipeline(std::span<const std::string> statements);

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
  bool replication_ = false;  // such servers know the simple protocol only
  std::stop_token stop_;
};

}  // namespace pgrehearse
