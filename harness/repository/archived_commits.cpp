#include "harness/repository/archived_commits.hpp"

#include <fmt/format.h>

#include "harness/common/error.hpp"
#include "harness/process/command.hpp"
#include "harness/repository/placeholder_cluster.hpp"
#include "harness/repository/wal_fetch.hpp"

namespace pgrehearse {

ArchivedCommits::ArchivedCommits(Sandbox& sandbox, BackupRepository& repository,
                                 const Backup& backup, std::uint64_t segment_size)
    : sandbox_(sandbox),
      repository_(repository),
      backup_(backup),
      segment_size_(segment_size),
      data_(sandbox.paths().wal / "placeholder"),
      wal_(sandbox.paths().wal / "commits") {}

CommandResult ArchivedCommits::run(std::string program, std::vector<std::string> arguments,
                                   const std::stop_token& stop) {
  auto result = sandbox_.run({.program = std::move(program),
                              .arguments = std::move(arguments),
                              .timeout = std::chrono::minutes(5)},
                             stop);
  throw_if_cancelled(result);
  return result;
}

void ArchivedCommits::prepare(const std::stop_token& stop) {
  make_placeholder_cluster(sandbox_, backup_, data_, stop);
  run("mkdir", {"-p", wal_}, stop);
  ready_ = true;
}

bool ArchivedCommits::fetch(WalSegment segment, const std::stop_token& stop) {
  const auto name = file_name(segment, segment_size_);
  if (fetched_.contains(name)) return true;
  const auto result =
      fetch_wal({.repository = repository_, .backup = backup_, .sandbox = sandbox_, .data = data_},
                name, wal_ / name, stop);
  constexpr int not_archived = 1;
  if (result.exit_code == not_archived) return false;
  if (!result.succeeded()) {
    throw Error(ErrorKind::environment,
                fmt::format("segment {} cannot be fetched: {}", name, error_excerpt(result)));
  }
  fetched_.insert(name);
  return true;
}

std::optional<std::vector<TransactionMark>> ArchivedCommits::read(Timeline timeline, Lsn begin,
                                                                  Lsn end,
                                                                  const std::stop_token& stop) {
  // An idle server committed nothing, and pg_waldump would fail to find a record.
  if (begin >= end) return std::vector<TransactionMark>{};
  const std::lock_guard lock(mutex_);
  if (!ready_) prepare(stop);
  const auto first = segment_at(timeline, begin, segment_size_);
  const auto last = segment_at(timeline, {end.value - 1}, segment_size_);
  // Newest first: it may not be archived yet.
  for (auto number = last.number; number >= first.number; --number) {
    if (!fetch({.timeline = timeline, .number = number}, stop)) return {};
    if (number == 0) break;
  }
  const auto result = run(sandbox_.program("pg_waldump"),
                          {"--path", wal_, "--timeline", std::to_string(timeline), "--rmgr",
                           "Transaction", "--start", to_text(begin), "--end", to_text(end)},
                          stop);
  if (!result.succeeded()) {
    throw Error(ErrorKind::environment,
                fmt::format("pg_waldump cannot read WAL from {} to {}: {}", to_text(begin),
                            to_text(end), error_excerpt(result)));
  }
  auto commits = parse_commits(result.output);
  std::erase_if(commits, [&](const auto& mark) { return mark.lsn < begin || mark.lsn >= end; });
  return commits;
}

}  // namespace pgrehearse
