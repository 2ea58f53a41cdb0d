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
// Up to here, fetching one after the other is faster than starting the tool's prefetch processes.
constexpr std::uint64_t few_segments = 4;

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
  const std::uint64_t parts_per_worker = total > few_segments ? 4 : 1;
  const auto count = static_cast<std::uint64_t>(std::max(request.workers, 1)) * parts_per_worker;
  const auto length =
      std::clamp<std::uint64_t>((total + count - 1) / count, 1, most_segments_per_part);
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

std::uint64_t segments_of(const std::vector<Part>& parts) {
  std::uint64_t count = 0;
  for (const auto& part : parts) count += part.segments.count();
  return count;
}

// One thread fetches the segments in order, so that the backup tool can prefetch; the others run
// pg_waldump on what is there.
class Scan {
 public:
  Scan(const ScanRequest& request, std::stop_token outer)
      : request_(request),
        directory_(request.sandbox.paths().wal),
        segment_size_(request.lineage.segment_size),
        parts_(parts_of(request)),
        prefetch_(segments_of(parts_) > few_segments),
        failed_(parts_.size()),
        forward_(std::move(outer), [this] { stop_.request_stop(); }) {}

  ScanOutcome run(const std::function<bool(WalChunk)>& take) {
    const auto workers =
        std::min(static_cast<std::size_t>(std::max(request_.workers, 1)), parts_.size());
    ahead_ = 2 * workers;
    {
      std::vector<std::jthread> threads;
      const StopAtEnd stop_at_end{stop_};
      if (workers > 0) threads.emplace_back([this] { fetch_parts(); });
      for (std::size_t i = 0; i < workers; ++i) threads.emplace_back([this] { dump_parts(); });
      for (std::size_t part = 0; part < parts_.size(); ++part) {
        auto chunk = wait_for(part);
        outcome_.segments += parts_[part].segments.count();
        outcome_.records += chunk.records;
        outcome_.commits += static_cast<std::uint64_t>(
            std::ranges::count_if(chunk.ends, [](const auto& end) { return !end.aborted; }));
        if (request_.on_progress) request_.on_progress(part + 1, parts_.size());
        if (!take(std::move(chunk))) break;
      }
    }
    return outcome_;
  }

 private:
  // Also when the scan ends with an error: the threads wait for each other.
  struct StopAtEnd {
    std::stop_source& source;
    ~StopAtEnd() { source.request_stop(); }
  };

  void fetch_parts() {
    try {
      for (std::size_t part = 0; part < parts_.size(); ++part) {
        wait([&] { return part < taken_ + ahead_; });
        fetch(part);
      }
    } catch (...) {
      fail(fetched_, std::current_exception());
    }
  }

  void dump_parts() {
    for (auto part = next_++; part < parts_.size(); part = next_++) {
      try {
        wait([&] { return part < fetched_ || failed_ <= part; });
        if (failed() <= part) return;
        auto chunk = dump(parts_[part]);
        change([&] { done_.emplace(part, std::move(chunk)); });
      } catch (...) {
        return fail(part, std::current_exception());
      }
    }
  }

  WalChunk wait_for(std::size_t part) {
    wait([&] { return done_.contains(part) || failed_ <= part; });
    if (failed() <= part) std::rethrow_exception(failure_);
    // The last ones are removed with the sandbox: no other part needs their space.
    if (prefetch_ && part + ahead_ < parts_.size()) remove(part);
    WalChunk chunk;
    change([&] {
      chunk = std::move(done_.extract(part).mapped());
      taken_ = part + 1;
    });
    return chunk;
  }

  void wait(const std::function<bool()>& ready) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop_.get_token(), ready);
    throw_if_stopped(stop_.get_token());
  }

  void change(const std::function<void()>& apply) {
    const std::lock_guard lock(mutex_);
    apply();
    changed_.notify_all();
  }

  // Parts before the failed one are still read: the caller may need no more.
  void fail(std::size_t part, std::exception_ptr failure) {
    change([&] {
      if (part >= failed_) return;
      failed_ = part;
      failure_ = std::move(failure);
    });
  }

  std::size_t failed() {
    const std::lock_guard lock(mutex_);
    return failed_;
  }

  void run(std::vector<std::string> words) {
    const auto result = request_.sandbox.run({.program = words.front(),
                                              .arguments = {words.begin() + 1, words.end()},
                                              .timeout = std::chrono::minutes(5),
                                              .unlisted = true},
                                             stop_.get_token());
    throw_if_cancelled(result);
    if (result.succeeded()) return;
    throw Error(ErrorKind::environment,
                fmt::format("{} in the sandbox failed: {}", words.front(), error_excerpt(result)));
  }

  std::filesystem::path file(Timeline timeline, std::uint64_t number) const {
    return directory_ / file_name({timeline, number}, segment_size_);
  }

  // Once its first segment is there, the part before it can be read to its end.
  void fetch(std::size_t index) {
    const auto& range = parts_[index].segments;
    for (auto number = range.first; number <= range.last; ++number) {
      fetch({range.timeline, number});
      if (number != range.first || index == 0) continue;
      provide_next(parts_[index - 1]);
      change([&] { fetched_ = index; });
    }
    if (index + 1 == parts_.size()) change([&] { fetched_ = parts_.size(); });
  }

  void fetch(WalSegment segment) {
    const auto name = file_name(segment, segment_size_);
    const auto attempt = [&](WalFetch how) {
      return fetch_wal({.repository = request_.repository,
                        .backup = request_.backup,
                        .sandbox = request_.sandbox,
                        .data = request_.sandbox.paths().data,
                        .how = how},
                       name, directory_ / name, stop_.get_token());
    };
    if (prefetch_ && attempt(WalFetch::ahead).succeeded()) return;
    const auto result = attempt(WalFetch::single);
    if (result.succeeded()) {
      if (!prefetch_) change([&] { outcome_.remaining.push_back(name); });
      return;
    }
    constexpr int not_archived = 1;
    throw Error(ErrorKind::repository,
                result.exit_code == not_archived
                    ? fmt::format("segment {} is listed but not in the archive", name)
                    : fmt::format("segment {} cannot be fetched: {}", name, error_excerpt(result)));
  }

  // pg_waldump reads one timeline: the segment after the part gets a second name.
  void provide_next(const Part& part) {
    if (part.next->timeline == part.segments.timeline) return;
    run({"ln", "-f", file(part.next->timeline, part.next->number),
         file(part.segments.timeline, part.next->number)});
  }

  void remove(std::size_t index) {
    const auto& part = parts_[index];
    std::vector<std::string> words{"rm", "-f"};
    for (auto number = part.segments.first; number <= part.segments.last; ++number) {
      words.push_back(file(part.segments.timeline, number));
    }
    if (part.next && part.next->timeline != part.segments.timeline) {
      words.push_back(file(part.segments.timeline, part.next->number));
    }
    run(std::move(words));
  }

  // Up to the first record that begins in the segment after the part.
  WalChunk dump(const Part& part) {
    const auto boundary = start_of({.number = part.segments.last + 1}, segment_size_);
    const auto begin =
        std::max(request_.begin, start_of({.number = part.segments.first}, segment_size_));
    const auto last = part.next ? part.next->number : part.segments.last;
    std::vector<std::string> arguments{"--path", directory_.string(), "--start", to_text(begin)};
    if (request_.backup.postgres_major >= filter_since) {
      for (const auto& manager : request_.managers) {
        arguments.insert(arguments.end(), {"--rmgr", manager});
      }
    }
    // Without a name, pg_waldump opens any file of the directory to learn the segment size, which
    // may be removed at that moment.
    arguments.push_back(file_name(part.segments.first_segment(), segment_size_));
    arguments.push_back(file_name({part.segments.timeline, last}, segment_size_));
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
    if (!past && !result.succeeded()) end_early(part, result);
    return reader.finish();
  }

  // The last part ends where the archive ends: pg_waldump finds no valid record there.
  void end_early(const Part& part, const CommandResult& result) {
    const auto message = error_excerpt(result);
    if (part.next) {
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
  std::filesystem::path directory_;
  std::uint64_t segment_size_;
  std::vector<Part> parts_;
  bool prefetch_;
  std::stop_source stop_;
  std::atomic<std::size_t> next_{0};  // to be read by pg_waldump
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::size_t fetched_ = 0;  // so many parts can be read to their end
  std::map<std::size_t, WalChunk> done_;
  std::size_t taken_ = 0;
  std::size_t ahead_ = 1;
  std::size_t failed_;  // the first part that cannot be read
  std::exception_ptr failure_;
  ScanOutcome outcome_;
  std::stop_callback<std::function<void()>> forward_;
};

}  // namespace

ScanOutcome scan_archive(const ScanRequest& request, const std::function<bool(WalChunk)>& take,
                         const std::stop_token& stop) {
  return Scan(request, stop).run(take);
}

}  // namespace pgrehearse
