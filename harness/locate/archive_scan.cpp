#include "harness/locate/archive_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/common/throw_if_stopped.hpp"
#include "harness/process/command.hpp"
#include "harness/repository/wal_fetch.hpp"

namespace pgrehearse {

namespace {

constexpr std::uint64_t most_segments_per_part = 8;
constexpr int filter_since = 15;

// Consecutive segments, and the one after them, in which their last record may end.
struct Part {
  WalRange segments;
  std::optional<WalSegment> next;
};

std::vector<Part> parts_of(const ScanRequest& request) {
  const auto size = request.lineage.segment_size;
  const auto first = request.begin.value / size;
  std::vector<WalRange> ranges;
  std::uint64_t total = 0;
  for (auto range : request.lineage.required) {
    range.first = std::max(range.first, first);
    if (const auto last = request.lineage.last_reachable) {
      range.last = std::min(range.last, last->number);
    }
    if (range.first > range.last) continue;
    ranges.push_back(range);
    total += range.count();
  }
  constexpr std::uint64_t parts_per_worker = 4;
  const auto workers = static_cast<std::uint64_t>(std::max(request.workers, 1));
  const auto length =
      std::clamp<std::uint64_t>(total / (workers * parts_per_worker), 1, most_segments_per_part);
  std::vector<Part> parts;
  for (const auto& range : ranges) {
    for (auto at = range.first; at <= range.last; at += length) {
      if (!parts.empty()) parts.back().next = WalSegment{range.timeline, at};
      parts.push_back({.segments = {.timeline = range.timeline,
                                    .first = at,
                                    .last = std::min(range.last, at + length - 1)}});
    }
  }
  return parts;
}

class Scan {
 public:
  Scan(const ScanRequest& request, std::stop_token outer)
      : request_(request),
        segment_size_(request.lineage.segment_size),
        parts_(parts_of(request)),
        forward_(std::move(outer), [this] { stop_.request_stop(); }) {}

  ScanOutcome run(const std::function<bool(WalChunk)>& take) {
    std::vector<std::jthread> workers;
    const auto wanted =
        std::min(static_cast<std::size_t>(std::max(request_.workers, 1)), parts_.size());
    ahead_ = 2 * wanted;
    for (std::size_t i = 0; i < wanted; ++i) {
      workers.emplace_back([this] { work(); });
    }
    for (std::size_t part = 0; part < parts_.size(); ++part) {
      auto chunk = wait_for(part);
      outcome_.segments += parts_[part].segments.count();
      outcome_.records += chunk.records;
      outcome_.commits += static_cast<std::uint64_t>(
          std::ranges::count_if(chunk.ends, [](const auto& end) { return !end.aborted; }));
      if (request_.on_progress) request_.on_progress(part + 1, parts_.size());
      if (!take(std::move(chunk))) break;
    }
    stop_.request_stop();
    changed_.notify_all();
    workers.clear();
    return outcome_;
  }

 private:
  void work() {
    while (true) {
      const auto part = next_++;
      if (part >= parts_.size()) return;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, stop_.get_token(), [&] { return part < taken_ + ahead_; });
        if (stop_.stop_requested()) return;
      }
      std::optional<WalChunk> chunk;
      std::exception_ptr failure;
      try {
        chunk = read(part);
      } catch (...) {
        failure = std::current_exception();
      }
      const std::lock_guard lock(mutex_);
      if (chunk) done_.emplace(part, std::move(*chunk));
      if (failure && !failure_) failure_ = failure;
      changed_.notify_all();
    }
  }

  WalChunk wait_for(std::size_t part) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop_.get_token(), [&] { return done_.contains(part) || failure_; });
    if (!done_.contains(part)) {
      stop_.request_stop();
      if (failure_) std::rethrow_exception(failure_);
      throw_if_stopped(stop_.get_token());
    }
    auto chunk = std::move(done_.extract(part).mapped());
    taken_ = part + 1;
    changed_.notify_all();
    return chunk;
  }

  CommandResult run(std::string program, std::vector<std::string> arguments) {
    auto result = request_.sandbox.run({.program = std::move(program),
                                        .arguments = std::move(arguments),
                                        .timeout = std::chrono::minutes(5),
                                        .unlisted = true},
                                       stop_.get_token());
    throw_if_cancelled(result);
    return result;
  }

  // Under the timeline of the part, also for the segment after it: pg_waldump reads one timeline.
  bool fetch(const std::filesystem::path& directory, WalSegment segment, Timeline as) {
    const auto name = file_name(segment, segment_size_);
    const auto result = fetch_wal(
        request_.repository, request_.backup, request_.sandbox, request_.sandbox.paths().data, name,
        directory / file_name({as, segment.number}, segment_size_), stop_.get_token());
    constexpr int not_archived = 1;
    if (result.exit_code == not_archived) return false;
    if (!result.succeeded()) {
      throw Error(ErrorKind::repository,
                  fmt::format("segment {} cannot be fetched: {}", name, error_excerpt(result)));
    }
    return true;
  }

  WalChunk read(std::size_t index) {
    const auto& part = parts_[index];
    const auto directory = request_.sandbox.paths().wal / fmt::format("part-{}", index);
    run("mkdir", {"-p", directory});
    for (auto number = part.segments.first; number <= part.segments.last; ++number) {
      if (fetch(directory, {part.segments.timeline, number}, part.segments.timeline)) continue;
      throw Error(ErrorKind::repository,
                  fmt::format("segment {} is listed but not in the archive",
                              file_name({part.segments.timeline, number}, segment_size_)));
    }
    const bool complete = part.next && fetch(directory, *part.next, part.segments.timeline);
    auto chunk = dump(directory, part, complete);
    run("rm", {"-rf", directory});
    return chunk;
  }

  // Up to the first record that begins in the segment after the part.
  WalChunk dump(const std::filesystem::path& directory, const Part& part, bool complete) {
    const auto boundary = start_of({.number = part.segments.last + 1}, segment_size_);
    const auto begin =
        std::max(request_.begin, start_of({.number = part.segments.first}, segment_size_));
    std::vector<std::string> arguments{"--path",     directory.string(),
                                       "--timeline", std::to_string(part.segments.timeline),
                                       "--start",    to_text(begin)};
    if (complete) {
      arguments.insert(arguments.end(), {"--end", to_text(Lsn{boundary.value + segment_size_})});
    }
    if (request_.backup.postgres_major >= filter_since) {
      for (const auto& manager : request_.managers) {
        arguments.insert(arguments.end(), {"--rmgr", manager});
      }
    }
    WalChunkReader reader(request_.watch, segment_size_);
    std::stop_source enough;
    const std::stop_callback forward(stop_.get_token(), [&] { enough.request_stop(); });
    bool past = false;
    const auto result = request_.sandbox.run({.program = request_.sandbox.program("pg_waldump"),
                                              .arguments = std::move(arguments),
                                              .timeout = std::chrono::hours(1),
                                              .on_line =
                                                  [&](std::string_view line) {
                                                    if (past) return;
                                                    const auto lsn = reader.position(line);
                                                    past = lsn && *lsn >= boundary;
                                                    if (past) {
                                                      enough.request_stop();
                                                    } else {
                                                      reader.take(line);
                                                    }
                                                  },
                                              .keep_output = 4096,
                                              .unlisted = true},
                                             enough.get_token());
    throw_if_stopped(stop_.get_token());
    if (!past && !result.succeeded()) end_early(part, complete, result);
    return reader.finish();
  }

  // The last part ends where the archive ends: pg_waldump finds no valid record there.
  void end_early(const Part& part, bool complete, const CommandResult& result) {
    const auto message = error_excerpt(result);
    if (complete) {
      throw Error(ErrorKind::repository,
                  fmt::format("WAL from segment {} on cannot be read: {}",
                              file_name(part.segments.first_segment(), segment_size_), message),
                  "'pgrehearse map' shows what can be recovered", FindingCode::wal_damaged,
                  file_name(part.segments.first_segment(), segment_size_));
    }
    const std::lock_guard lock(mutex_);
    outcome_.end = message;
  }

  const ScanRequest& request_;
  std::uint64_t segment_size_;
  std::vector<Part> parts_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> forward_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::size_t, WalChunk> done_;
  std::exception_ptr failure_;
  std::size_t taken_ = 0;
  std::size_t ahead_ = 1;
  ScanOutcome outcome_;
};

}  // namespace

ScanOutcome scan_archive(const ScanRequest& request, const std::function<bool(WalChunk)>& take,
                         const std::stop_token& stop) {
  return Scan(request, stop).run(take);
}

}  // namespace pgrehearse
