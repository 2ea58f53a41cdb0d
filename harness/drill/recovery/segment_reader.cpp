#include "harness/drill/recovery/segment_reader.hpp"

#include <fmt/format.h>

#include <iterator>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/repository/wal_fetch.hpp"

namespace pgrehearse {

SegmentReader::SegmentReader(Sandbox& sandbox, BackupRepository& repository, const Backup& backup,
                             std::uint64_t segment_size, std::stop_token stop)
    : sandbox_(sandbox),
      repository_(repository),
      backup_(backup),
      segment_size_(segment_size),
      stop_(std::move(stop)) {}

std::string SegmentReader::name_of(WalSegment segment) const {
  return file_name(segment, segment_size_);
}

const SegmentReader::Transactions& SegmentReader::transactions(WalSegment segment) {
  const auto [found, added] = transactions_.try_emplace(segment);
  auto& result = found->second;
  if (!added || !unexamined_.empty()) return result;
  result.archived = fetch(segment);
  if (!result.archived) return result;
  result.problem = dump(segment, "Transaction", [&](std::string_view line) {
    const auto ends = parse_transaction_ends(line);
    result.ends.insert(result.ends.end(), ends.begin(), ends.end());
  });
  return result;
}

std::vector<Lsn> SegmentReader::restore_points(WalSegment segment, const std::string& name) {
  constexpr std::string_view label = " desc: RESTORE_POINT ";
  constexpr std::string_view position = " lsn: ";
  std::vector<Lsn> points;
  if (!unexamined_.empty() || !fetch(segment)) return points;
  dump(segment, "XLOG", [&](std::string_view line) {
    const auto at = line.find(label);
    const auto lsn = line.find(position);
    if (at == line.npos || lsn == line.npos || line.substr(at + label.size()) != name) return;
    const auto text = line.substr(lsn + position.size());
    if (const auto begin = parse_lsn(text.substr(0, text.find(',')))) points.push_back(*begin);
  });
  return points;
}

bool SegmentReader::fetch(WalSegment segment) {
  const auto [known, added] = fetched_.try_emplace(segment, false);
  if (!added) return known->second;
  const auto name = name_of(segment);
  const auto result = fetch_wal({.repository = repository_,
                                 .backup = backup_,
                                 .sandbox = sandbox_,
                                 .data = sandbox_.paths().data},
                                name, sandbox_.paths().wal / name, stop_);
  constexpr int not_archived = 1;
  if (!result.succeeded() && result.exit_code != not_archived) {
    unreadable_.push_back(fmt::format("{} (exit code {})", name, result.exit_code));
  }
  known->second = result.succeeded();
  return known->second;
}

std::string SegmentReader::dump(WalSegment segment, std::string_view resource_manager,
                                const std::function<void(std::string_view)>& on_line) try {
  const auto name = name_of(segment);
  // Without a start position, which would have to be that of a record. By file: up to its end.
  const auto result = sandbox_.run({.program = sandbox_.program("pg_waldump"),
                                    .arguments = {"--rmgr", std::string(resource_manager),
                                                  (sandbox_.paths().wal / name).string()},
                                    .timeout = std::chrono::minutes(5),
                                    .on_line = on_line,
                                    .keep_output = 4096},
                                   stop_);
  throw_if_cancelled(result);
  if (result.timed_out || result.signal != 0) {
    unexamined_ = fmt::format("pg_waldump {} on segment {}",
                              result.timed_out ? "timed out" : "was killed", name);
    return {};
  }
  const auto message = error_excerpt(result);
  // No whole record is in the segment: a long one ends here, the next one continues after it.
  if (message.find("could not find a valid record") != std::string::npos) return {};
  if (result.succeeded()) return message.starts_with("pg_waldump:") ? message : std::string();
  return message.empty() ? fmt::format("pg_waldump failed with exit code {}", result.exit_code)
                         : message;
} catch (const Error& error) {
  // Some PostgreSQL packages do not contain pg_waldump.
  if (error.code() != FindingCode::env_binary) throw;
  unexamined_ = error.what();
  return {};
}

}  // namespace pgrehearse
