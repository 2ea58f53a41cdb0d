// The ledger of one host: a SQLite file in the state directory, and a file for locks.
#pragma once

#include <filesystem>
#include <map>
#include <memory>

#include "harness/history/ledger_database.hpp"

namespace SQLite {
class Database;
class Statement;
}  // namespace SQLite

namespace pgrehearse {

class SqliteDatabase final : public LedgerDatabase {
 public:
  // Creates <state>/ledger.sqlite, readable by this account and its group, and
  // ledger.sqlite-locks.
  explicit SqliteDatabase(const std::filesystem::path& state);
  ~SqliteDatabase() override;

  // Where the ledger of a state directory is stored; the file may not exist.
  static std::filesystem::path file_in(const std::filesystem::path& state);

  Rows query(const std::string& sql, std::span<const Field> parameters = {}) override;
  void write(const std::function<void()>& body) override;
  void read(const std::function<void()>& body) override;
  std::unique_ptr<LedgerLock> try_lock(const std::string& name) override;
  bool is_locked(const std::string& name) override;
  [[nodiscard]] std::string description() const override { return file_.string(); }

 private:
  SQLite::Statement& prepared(const std::string& sql);

  std::filesystem::path file_;
  std::filesystem::path locks_;
  std::unique_ptr<SQLite::Database> database_;
  std::map<std::string, SQLite::Statement> statements_;  // prepared once
};

}  // namespace pgrehearse
