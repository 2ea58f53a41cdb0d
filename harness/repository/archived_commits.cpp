#include "harness/repository/archived_commits.hpp"

#include <fmt/format.h>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/process/command.hpp"
#include "harness/repository/archive_stand_in.hpp"

namespace pgrehearse {

namespace {

constexpr std::chrono::minutes deadline{5};

std::string first_words(const CommandResult& result) {
  return std::string(trim(std::string_view(result.error_output).substr(0, 300)));
}

}  // namespace

ArchivedCommits::ArchivedCommits(Sandbox& sandbox, BackupRepository& repository,
                                 const Backup& backup, std::uint64_t segment_size)
    : sandbox_(sandbox),
      repository_(repository),
      backup_(backup),
      segment_size_(segment_size),
      data_(sandbox.paths().wal / "stand-in"),
      wal_(sandbox.paths().wal / "commits") {}

CommandResult ArchivedCommits::run(std::string program, std::vector<std::string> arguments,
                                   const std::stop_token& stop) {
  auto result = sandbox_.run(
      {.program = std::move(program), .arguments = std::move(arguments), .timeout = deadline},
      stop);
  throw_if_cancelled(result);
  return result;
}

void ArchivedCommits::prepare(const std::stop_token& stop) {
  make_archive_stand_in(sandbox_, backup_, data_, stop);
  run("mkdir", {"-p", wal_}, stop);
  ready_ = true;
}

bool ArchivedCommits::fetch(WalSegment segment, const std::stop_token& stop) {
  const auto name = file_name(segment, segment_size_);
  if (fetched_.contains(name)) return true;
  auto words = repository_.archive_get(backup_, sandbox_, WalFetch::single);
  for (auto& word : words) {
    if (word.starts_with("--pg1-path=")) word = "--pg1-path=" + data_.native();
  }
  words.push_back(name);
  words.push_back(wal_ / name);
  const auto result = run(words.front(), {words.begin() + 1, words.end()}, stop);
  constexpr int not_there = 1;
  if (result.exit_code == not_there) return false;
  if (!result.succeeded()) {
    throw Error(ErrorKind::environment,
                fmt::format("segment {} cannot be fetched: {}", name, first_words(result)));
  }
  fetched_.insert(name);
  return true;
}

std::optional<std::vector<TransactionMark>> ArchivedCommits::read(Timeline timeline, Lsn begin,
                                                                  Lsn end,
                                                                  const std::stop_token& stop) {
  // An idle server: nothing was committed, and pg_waldump would look for a record in vain.
  if (begin >= end) return std::vector<TransactionMark>{};
  const std::lock_guard lock(mutex_);
  if (!ready_) prepare(stop);
  const auto first = segment_at(timeline, begin, segment_size_);
  const auto last = segment_at(timeline, {end.value - 1}, segment_size_);
  // The newest first: it is the one that may not be there yet.
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
                fmt::format("pg_waldump could not read {} to {}: {}", to_text(begin), to_text(end),
                            first_words(result)));
  }
  auto commits = parse_commits(result.output);
  std::erase_if(commits, [&](const auto& mark) { return mark.lsn < begin || mark.lsn >= end; });
  return commits;
}

}  // namespace pgrehearse
