// The ledger of several hosts: the schema pgrehearse of a PostgreSQL database. Locks are advisory
// locks of sessions of their own: PostgreSQL releases them when the connection ends. They do not
// work through a pooler in transaction mode.
#pragma once

#include <optional>
#include <stop_token>

#include "harness/history/ledger_database.hpp"
#include "harness/postgres/connection.hpp"
#include "harness/postgres/connection_parameters.hpp"

namespace pgrehearse {

class PostgresDatabase final : public LedgerDatabase {
 public:
  // Connects, and creates the schema if there is none.
  explicit PostgresDatabase(ConnectionParameters parameters, std::stop_token stop = {});

  Rows query(const std::string& sql, std::span<const Field> parameters = {}) override;
  void write(const std::function<void()>& body) override;
  void read(const std::function<void()>& body) override;
  std::unique_ptr<LedgerLock> try_lock(const std::string& name) override;
  bool is_locked(const std::string& name) override;
  [[nodiscard]] std::string description() const override { return describe(parameters_); }

 private:
  [[nodiscard]] Connection connect() const;
  void transaction(const std::string& begin, const std::function<void()>& body);
  // Runs `statement` on the connection; after the connection was lost, once more on a new one.
  Rows run(const std::string& statement, std::span<const Field> parameters);
  [[noreturn]] void refuse(const Error& error) const;

  ConnectionParameters parameters_;
  std::stop_token stop_;
  std::optional<Connection> connection_;
  bool in_transaction_ = false;
};

}  // namespace pgrehearse
