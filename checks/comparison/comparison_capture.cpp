#include "checks/comparison/comparison_capture.hpp"

#include <condition_variable>
#include <fstream>
#include <utility>

namespace pgrehearse {

ComparisonCapture::ComparisonCapture(const Primary& primary, FingerprintRules rules,
                                     ReadCommits read_commits, bool hold)
    : primary_(primary),
      rules_(std::move(rules)),
      read_commits_(std::move(read_commits)),
      hold_(hold),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void ComparisonCapture::run(const std::stop_token& stop) {
  bool found = false;
  std::chrono::steady_clock::time_point taken;
  try {
    const FingerprintCapture capture(
        primary_, rules_,
        [&](const Primary& server, const std::vector<std::string>& databases,
            const std::stop_token& taking) {
          held_ = take_snapshots(
              server,
              {.databases = databases, .budget = rules_.budget, .read_commits = read_commits_},
              taking);
          auto snapshots = held_.for_capture();
          std::vector<DatabaseFingerprint> points;
          points.reserve(snapshots.size());
          for (const auto& snapshot : snapshots) points.push_back(snapshot.facts);
          taken = std::chrono::steady_clock::now();
          found_.set_value(std::move(points));
          found = true;
          return snapshots;
        });
    std::ofstream out(file_.path(), std::ios::binary);
    auto summary = capture.run(out, {}, stop);
    if (!hold_) held_.release();
    done_.set_value(std::move(summary));
  } catch (...) {
    if (!found) found_.set_exception(std::current_exception());
    done_.set_exception(std::current_exception());
    return;
  }
  hold_while_allowed(taken, stop);
}

void ComparisonCapture::hold_while_allowed(std::chrono::steady_clock::time_point taken,
                                           const std::stop_token& stop) {
  if (!hold_ || !rules_.budget.max_snapshot_age) return;
  std::unique_lock lock(mutex_);
  std::condition_variable_any wake;
  wake.wait_until(lock, stop, taken + *rules_.budget.max_snapshot_age, [] { return false; });
  held_.release();
}

std::vector<DatabaseFingerprint> ComparisonCapture::points(const std::stop_token& stop) {
  const std::stop_callback cancel(stop, [this] { thread_.request_stop(); });
  return points_.get();
}

const CaptureSummary& ComparisonCapture::summary(const std::stop_token& stop) {
  const std::stop_callback cancel(stop, [this] { thread_.request_stop(); });
  return summary_.get();
}

std::unique_ptr<FingerprintReader> ComparisonCapture::reader() const {
  return std::make_unique<FingerprintReader>(
      std::make_unique<std::ifstream>(file_.path(), std::ios::binary), "the primary's fingerprint");
}

Connection ComparisonCapture::join(const std::string& database, std::stop_token stop) const {
  const std::lock_guard lock(mutex_);
  return held_.join(database, std::move(stop));
}

}  // namespace pgrehearse
