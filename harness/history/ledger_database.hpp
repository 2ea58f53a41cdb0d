// The database of a ledger: SQLite on one host, PostgreSQL for several. Both accept the same SQL:
// columns are text or bigint, parameters are $1, $2, ... in the order of their first use.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "harness/postgres/connection.hpp"

namespace pgrehearse {

// Held until it is destroyed or its process ends, however it ends.
class LedgerLock {
 public:
  virtual ~LedgerLock() = default;
};

// The number that a database locks for a name: the first eight bytes of its SHA-256.
std::uint64_t lock_key(std::string_view name);

// Used by one thread. Every function throws Error(environment) if the database cannot be used.
class LedgerDatabase {
 public:
  virtual ~LedgerDatabase() = default;
  virtual Rows query(const std::string& sql, std::span<const Field> parameters = {}) = 0;
  // Runs `body` as one transaction, one at a time among all users of the ledger; readers do not
  // wait. Rolled back if `body` throws.
  virtual void write(const std::function<void()>& body) = 0;
  // Runs `body`, which only reads, on one state of the database.
  virtual void read(const std::function<void()>& body) = 0;
  // nullptr: held by somebody else, in this process or another one, on this host or another one.
  virtual std::unique_ptr<LedgerLock> try_lock(const std::string& name) = 0;
  // Without taking it.
  virtual bool is_locked(const std::string& name) = 0;
  // For messages, without secrets: "/var/lib/pgrehearse/ledger.sqlite", "host=db1 dbname=ledger".
  [[nodiscard]] virtual std::string description() const = 0;
};

}  // namespace pgrehearse
