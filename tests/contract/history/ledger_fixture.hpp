// A new, empty ledger per test, of each kind of database.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "harness/history/ledger.hpp"

namespace pgrehearse {

class LedgerContract : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override;
  ~LedgerContract() override;

  [[nodiscard]] std::unique_ptr<LedgerDatabase> open_database() const;
  // Another connection to the ledger of this test.
  [[nodiscard]] Ledger open() const { return Ledger(open_database()); }

  // Runs `body` in a child and returns once it called report_ready().
  pid_t fork_with(const std::function<void()>& body);
  void report_ready() const;
  // Throws after minutes.
  static void wait_until(const std::function<bool()>& condition);

  std::filesystem::path state_;

 private:
  std::string dsn_;
  std::array<int, 2> ready_{-1, -1};
};

}  // namespace pgrehearse
