// A primary whose backups and WAL are kept by plain PostgreSQL (pg_basebackup and a directory) and
// by Barman at the same time, so that drills of both must land on the same transaction.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "harness/laboratory/laboratory.hpp"

namespace pgrehearse {

class ToolLaboratory {
 public:
  // Backups in plain and tar format and one of Barman, each with a tablespace; then a promotion and
  // more transactions. Throws when something fails. `scratch` exists.
  ToolLaboratory(const std::filesystem::path& scratch, CommandRunner& runner);

  [[nodiscard]] const Laboratory& laboratory() const { return *laboratory_; }
  [[nodiscard]] const std::string& newest_transaction() const { return newest_transaction_; }
  // The last segment of the archive.
  [[nodiscard]] const std::string& newest_segment() const { return newest_segment_; }
  // A commit after the backups, on the first timeline.
  [[nodiscard]] const std::string& earlier_transaction() const { return earlier_transaction_; }

  [[nodiscard]] std::filesystem::path base() const { return own_ / "base"; }
  [[nodiscard]] std::filesystem::path archive() const { return own_ / "archive"; }
  [[nodiscard]] std::filesystem::path compressed_archive() const { return own_ / "compressed"; }
  [[nodiscard]] std::filesystem::path barman() const { return own_ / "barman.conf"; }
  [[nodiscard]] std::filesystem::path barman_home() const { return own_ / "barman"; }
  // As the laboratory's account. Throws when the command fails.
  void run(const std::string& program, std::vector<std::string> arguments);

 private:
  void configure();
  void take_backups();
  void promote();
  std::string switch_wal();
  std::string execute(const std::string& sql);

  CommandRunner& runner_;
  std::unique_ptr<Laboratory> laboratory_;
  std::filesystem::path own_;
  std::string newest_transaction_;
  std::string earlier_transaction_;
  std::string newest_segment_;
};

}  // namespace pgrehearse
