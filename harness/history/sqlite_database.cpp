#include "harness/history/sqlite_database.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "harness/common/error.hpp"
#include "harness/common/poll_until.hpp"
#include "harness/process/descriptor.hpp"
#include "harness/sandbox/directories.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

constexpr int busy_timeout_ms = 60'000;
constexpr mode_t file_mode = 0640;

[[noreturn]] void refuse(const fs::path& path, const std::string& reason) {
  throw Error(ErrorKind::environment,
              fmt::format("cannot use the ledger {}: {}", path.string(), reason),
              "check the permissions and the free space of the state directory, or choose another "
              "one with --state",
              FindingCode::env_state, path.string());
}

Descriptor open_file(const fs::path& path, int flags) {
  return Descriptor(open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, file_mode));
}

// The kernel releases the lock with the last descriptor: when the process ends.
class FileLock final : public LedgerLock {
 public:
  explicit FileLock(Descriptor file) : file_(std::move(file)) {}

 private:
  Descriptor file_;
};

// One byte of the lock file, which stays empty: a file per lock could not be removed without a
// race. Two names with the same byte would only exclude each other.
struct flock byte_of(const std::string& name) {
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = static_cast<off_t>(lock_key(name) >> 2U);
  range.l_len = 1;
  return range;
}

}  // namespace

fs::path SqliteDatabase::file_in(const fs::path& state) { return state / "ledger.sqlite"; }

SqliteDatabase::SqliteDatabase(const fs::path& state)
    : file_(file_in(state)), locks_(state / "ledger.sqlite-locks") {
  // Accounts of sandboxes pass through it.
  make_open_directories(state);
  // SQLite would create it with the umask, and gives -wal and -shm the mode of the file. A file
  // that exists must not be opened here: closing it would release the locks of all connections of
  // this process (fcntl(2)), and another process would then delete the write-ahead log in use.
  if (!open_file(file_, O_RDWR | O_CREAT | O_EXCL) && errno != EEXIST) {
    refuse(file_, std::generic_category().message(errno));
  }
  // SQLite does not wait for another connection that changes the journal mode.
  const auto locks = open_file(locks_, O_RDWR | O_CREAT);
  if (locks.get() < 0) refuse(locks_, std::generic_category().message(errno));
  auto opening = byte_of("open");
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(busy_timeout_ms);
  if (!poll_until(deadline, std::chrono::milliseconds(5), {},
                  [&] { return fcntl(locks.get(), F_OFD_SETLK, &opening) == 0; })) {
    refuse(locks_, "another process is opening it");
  }
  try {
    database_ = std::make_unique<SQLite::Database>(
        file_.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOFOLLOW, busy_timeout_ms);
    database_->exec("pragma journal_mode = wal");
    database_->exec("pragma synchronous = full");
    // A service keeps it for as long as it runs; the kernel has the pages anyhow.
    database_->exec("pragma cache_size = -256");
  } catch (const SQLite::Exception& error) {
    refuse(file_, error.what());
  }
}

SqliteDatabase::~SqliteDatabase() = default;

SQLite::Statement& SqliteDatabase::prepared(const std::string& sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) {
    found->second.reset();
    found->second.clearBindings();
    return found->second;
  }
  return statements_.emplace(sql, SQLite::Statement(*database_, sql)).first->second;
}

Rows SqliteDatabase::query(const std::string& sql, std::span<const Field> parameters) {
  try {
    auto& statement = prepared(sql);
    int index = 0;
    for (const auto& parameter : parameters) {
      ++index;
      if (parameter) {
        statement.bind(index, *parameter);
      } else {
        statement.bind(index);
      }
    }
    Rows rows;
    const int columns = statement.getColumnCount();
    while (statement.executeStep()) {
      auto& row = rows.rows.emplace_back();
      row.reserve(static_cast<std::size_t>(columns));
      for (int column = 0; column < columns; ++column) {
        const auto value = statement.getColumn(column);
        row.push_back(value.isNull() ? Field() : Field(value.getString()));
      }
    }
    statement.reset();  // a statement that is not reset keeps its transaction open
    return rows;
  } catch (const SQLite::Exception& error) {
    refuse(file_, error.what());
  }
}

void SqliteDatabase::write(const std::function<void()>& body) {
  try {
    // `immediate`: a transaction that reads first could not be upgraded when another one wrote.
    SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::IMMEDIATE);
    body();
    transaction.commit();
  } catch (const SQLite::Exception& error) {
    refuse(file_, error.what());
  }
}

void SqliteDatabase::read(const std::function<void()>& body) {
  try {
    const SQLite::Transaction transaction(*database_);
    body();
  } catch (const SQLite::Exception& error) {
    refuse(file_, error.what());
  }
}

std::unique_ptr<LedgerLock> SqliteDatabase::try_lock(const std::string& name) {
  auto file = open_file(locks_, O_RDWR | O_CREAT);
  if (file.get() < 0) refuse(locks_, std::generic_category().message(errno));
  auto range = byte_of(name);
  if (fcntl(file.get(), F_OFD_SETLK, &range) == 0) {
    return std::make_unique<FileLock>(std::move(file));
  }
  if (errno == EAGAIN || errno == EACCES) return nullptr;
  refuse(locks_, std::generic_category().message(errno));
}

bool SqliteDatabase::is_locked(const std::string& name) {
  const auto file = open_file(locks_, O_RDWR);
  if (file.get() < 0) {
    if (errno == ENOENT) return false;
    refuse(locks_, std::generic_category().message(errno));
  }
  auto range = byte_of(name);
  if (fcntl(file.get(), F_OFD_GETLK, &range) != 0) {
    refuse(locks_, std::generic_category().message(errno));
  }
  return range.l_type != F_UNLCK;
}

}  // namespace pgrehearse
