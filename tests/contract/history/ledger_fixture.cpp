#include "tests/contract/history/ledger_fixture.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

#include "harness/history/postgres_database.hpp"
#include "harness/history/sqlite_database.hpp"
#include "tests/fakes/require_or_skip.hpp"
#include "tests/fakes/throwaway_cluster.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

void LedgerContract::SetUp() {
  std::string pattern = fs::temp_directory_path() / "pgr-ledger-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
  state_ = pattern;
  if (GetParam() != "postgres") return;
  if (!require_or_skip(ThrowawayCluster::available() ? "" : "PostgreSQL")) return;
  dsn_ = copy_cluster().dsn() + " dbname=" + copy_cluster().create_database();
}

LedgerContract::~LedgerContract() {
  std::error_code ignored;
  if (!state_.empty()) fs::remove_all(state_, ignored);
  for (const int end : ready_) {
    if (end >= 0) close(end);
  }
}

std::unique_ptr<LedgerDatabase> LedgerContract::open_database() const {
  if (dsn_.empty()) return std::make_unique<SqliteDatabase>(state_);
  return std::make_unique<PostgresDatabase>(parse_dsn(dsn_));
}

pid_t LedgerContract::fork_with(const std::function<void()>& body) {
  if (pipe2(ready_.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const auto child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
      body();
    } catch (...) {
    }
    _exit(1);
  }
  close(std::exchange(ready_[1], -1));
  char byte = 0;
  if (read(ready_[0], &byte, 1) != 1) throw std::runtime_error("the child failed");
  return child;
}

void LedgerContract::report_ready() const {
  [[maybe_unused]] const auto written = write(ready_[1], "r", 1);
}

void LedgerContract::wait_until(const std::function<bool()>& condition) {
  for (int tenths = 0; !condition(); ++tenths) {
    if (tenths > 3000) throw std::runtime_error("timed out");
    usleep(100'000);
  }
}

}  // namespace pgrehearse
