#include "checks/comparison_capture.hpp"

#include <condition_variable>
#include <fstream>
#include <utility>

namespace pgrehearse {

ComparisonCapture::ComparisonCapture(const Primary& primary, FingerprintRules rules,
                                     FingerprintCapture::TakeSnapshots take, bool hold)
    : primary_(primary),
      rules_(std::move(rules)),
      take_(std::move(take)),
      hold_(hold),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void ComparisonCapture::run(const std::stop_token& stop) {
  bool found = false;
  std::chrono::steady_clock::time_point taken;
  try {
    const FingerprintCapture capture(
        primary_, rules_, [&](const std::vector<std::string>& databases, std::stop_token taking) {
          auto snapshots = take_(databases, std::move(taking));
          std::vector<DatabaseFingerprint> points;
          for (const auto& snapshot : snapshots) points.push_back(snapshot.facts);
          taken = std::chrono::steady_clock::now();
          if (hold_) held_ = snapshots;
          found_.set_value(std::move(points));
          found = true;
          return snapshots;
        });
    std::ofstream out(file_.path(), std::ios::binary);
    auto summary = capture.run(out, {}, stop);
    take_ = nullptr;
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
  held_.clear();
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

std::function<Connection(std::stop_token)> ComparisonCapture::snapshot_of(
    std::string_view database) const {
  const std::lock_guard lock(mutex_);
  for (const auto& snapshot : held_) {
    if (snapshot.facts.database == database) return snapshot.join;
  }
  return nullptr;
}

}  // namespace pgrehearse
