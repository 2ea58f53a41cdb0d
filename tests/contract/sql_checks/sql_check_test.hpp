// Each SQL check against a real server: a clean database passes, an injected fault is found and
// named.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "checks/table.hpp"
#include "harness/postgres/session_settings.hpp"
#include "harness/report/finding_codes.hpp"
#include "tests/fakes/check_bench.hpp"
#include "tests/fakes/directory_sandbox.hpp"
#include "tests/fakes/require_or_skip.hpp"
#include "tests/fakes/throwaway_cluster.hpp"

namespace pgrehearse {

// The restored files, and the server of the copy.
class CopySandbox : public DirectorySandbox {
 public:
  CopySandbox() : paths_(DirectorySandbox::paths()) {
    if (ThrowawayCluster::available()) paths_.sockets = copy_cluster().sockets();
  }
  [[nodiscard]] const SandboxPaths& paths() const override { return paths_; }
  [[nodiscard]] std::string program(std::string_view name) const override {
    return copy_cluster().binaries() / name;
  }
  [[nodiscard]] ConnectionParameters server() const override {
    return parse_dsn(copy_cluster().dsn());
  }

 private:
  SandboxPaths paths_;
};

class SqlCheckTest : public testing::Test {
 protected:
  void SetUp() override {
    const bool here = ThrowawayCluster::available();
    if (!require_or_skip(here ? "" : "PostgreSQL is not installed")) return;
    // As Instance::connect() does.
    bench.connect = [](const std::string& database) {
      auto parameters = parse_dsn(copy_cluster().dsn());
      parameters["dbname"] = database.empty() ? "postgres" : database;
      parameters["options"] = copy_session_options(15);
      return Connection::open(std::move(parameters), {});
    };
    bench.sandbox = &restored_files;
    bench.backup.postgres_major = 15;
  }

  // A new database of the copy with this content, the only one that the check looks at.
  std::string make_database(std::initializer_list<std::string> statements,
                            const std::string& options = "") {
    auto database = copy_cluster().create_database(options);
    copy_cluster().execute(database, statements);
    bench.databases = {database};
    return database;
  }

  CheckOutcome run_check(std::string_view name, const Settings& settings = {}) {
    for (const auto& row : check_table()) {
      if (row.name != name) continue;
      auto outcome = bench.run(row, settings);
      EXPECT_TRUE(verdict_agrees_with_findings(outcome)) << name;
      return outcome;
    }
    throw std::runtime_error("no such check: " + std::string(name));
  }

  CheckBench bench;
  CopySandbox restored_files;
};

// The codes must be announced in the table: the reference and the documentation come from there.
inline bool announces(std::string_view check, const Finding& finding) {
  for (const auto& row : check_table()) {
    if (row.name == check) return std::ranges::count(row.finds, finding.code) > 0;
  }
  return false;
}

#define EXPECT_ANNOUNCED(check, outcome)                                                 \
  for (const auto& announced_finding : (outcome).findings) {                             \
    EXPECT_TRUE(announces(check, announced_finding)) << text_of(announced_finding.code); \
  }

}  // namespace pgrehearse
