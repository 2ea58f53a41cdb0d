#include "harness/report/forecast.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "harness/common/counted.hpp"

namespace pgrehearse {

namespace {

constexpr double day = 86400;
constexpr int most_days = 3650;

// Two-sided 95 % quantile of Student's distribution.
double student(std::size_t degrees) {
  constexpr std::array<double, 11> table{12.71, 12.71, 4.30, 3.18, 2.78, 2.57,
                                         2.45,  2.36,  2.31, 2.26, 2.23};
  if (degrees < table.size()) return table[degrees];
  return degrees < 30 ? 2.09 : 1.98;
}

double since_epoch(Instant at) { return Seconds(at.time_since_epoch()).count(); }

std::string date_of(Instant at) { return to_iso8601(at).substr(0, 10); }

double middle(std::vector<double> values) {
  std::ranges::sort(values);
  const auto half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

// The RTO at a time: over size if the size is known, else over time itself.
class Growth {
 public:
  explicit Growth(std::span<const PastRecovery> past) {
    std::vector<DataPoint> by_size;
    std::vector<DataPoint> sizes;
    std::vector<DataPoint> by_time;
    for (const auto& drill : past) {
      by_time.push_back({since_epoch(drill.at), drill.rto});
      if (!drill.bytes) continue;
      by_size.push_back({*drill.bytes, drill.rto});
      sizes.push_back({since_epoch(drill.at), *drill.bytes});
    }
    by_time_ = LinearFit::of(by_time);
    by_size_ = LinearFit::of(by_size);
    size_ = LinearFit::of(sizes);
    if (!size_) by_size_.reset();
  }

  [[nodiscard]] bool is_known() const { return by_size_ || by_time_; }
  [[nodiscard]] double at(double time) const {
    return std::max(0.0, by_size_ ? by_size_->at(size_->at(time)) : by_time_->at(time));
  }
  [[nodiscard]] double margin_at(double time) const {
    if (!by_size_) return by_time_->margin_at(time);
    return std::hypot(by_size_->margin_at(size_->at(time)),
                      by_size_->slope() * size_->margin_at(time));
  }
  [[nodiscard]] std::optional<double> bytes_per_day() const {
    return size_ ? std::optional(size_->slope() * day) : std::nullopt;
  }

 private:
  std::optional<LinearFit> by_time_;
  std::optional<LinearFit> by_size_;
  std::optional<LinearFit> size_;
};

void find_exceeded(const Growth& growth, double objective, Instant now, RtoForecast& forecast) {
  for (int days = 0; days <= most_days && !forecast.latest; ++days) {
    const auto at = now + std::chrono::hours(24) * days;
    const double time = since_epoch(at);
    const double value = growth.at(time);
    const double margin = growth.margin_at(time);
    if (!forecast.earliest && value + margin > objective) forecast.earliest = at;
    if (!forecast.exceeded && value > objective) forecast.exceeded = at;
    if (value - margin > objective) forecast.latest = at;
  }
  // A band that widens is no growth.
  if (!forecast.exceeded) forecast.earliest.reset();
}

}  // namespace

std::optional<LinearFit> LinearFit::of(std::span<const DataPoint> samples) {
  if (samples.size() < 3) return {};
  LinearFit fit;
  fit.count_ = samples.size();
  const auto count = static_cast<double>(samples.size());
  for (const auto& sample : samples) {
    fit.mean_x_ += sample.x / count;
    fit.mean_y_ += sample.y / count;
  }
  double common = 0;
  for (const auto& sample : samples) {
    fit.spread_ += (sample.x - fit.mean_x_) * (sample.x - fit.mean_x_);
    common += (sample.x - fit.mean_x_) * (sample.y - fit.mean_y_);
  }
  if (fit.spread_ <= 0) return {};
  fit.slope_ = common / fit.spread_;
  double squares = 0;
  for (const auto& sample : samples) {
    const double error = sample.y - fit.at(sample.x);
    squares += error * error;
  }
  fit.residual_ = std::sqrt(squares / (count - 2));
  return fit;
}

double LinearFit::margin_at(double x) const {
  const double distance = (x - mean_x_) * (x - mean_x_) / spread_;
  return student(count_ - 2) * residual_ *
         std::sqrt(1 + 1 / static_cast<double>(count_) + distance);
}

RtoForecast forecast_rto(std::span<const PastRecovery> past, std::optional<double> objective,
                         Instant now) {
  RtoForecast forecast;
  if (past.empty()) {
    forecast.basis = "no drill has passed";
    return forecast;
  }
  const auto [oldest, newest] = std::ranges::minmax_element(past, {}, &PastRecovery::at);
  forecast.basis = fmt::format("{} since {}", counted(past.size(), "drill"), date_of(oldest->at));
  const Growth growth(past);
  // Drills of one day show how much the RTO varies, not how it grows.
  constexpr std::chrono::hours shortest_period{24 * 7};
  if (!growth.is_known() || newest->at - oldest->at < shortest_period) {
    std::vector<double> values;
    for (const auto& drill : past) values.push_back(drill.rto);
    forecast.seconds = middle(values);
    forecast.low = std::ranges::min(values);
    forecast.high = std::ranges::max(values);
    return forecast;
  }
  const double time = since_epoch(now);
  forecast.seconds = growth.at(time);
  forecast.low = std::max(0.0, growth.at(time) - growth.margin_at(time));
  forecast.high = growth.at(time) + growth.margin_at(time);
  forecast.bytes_per_day = growth.bytes_per_day();
  if (objective) find_exceeded(growth, *objective, now, forecast);
  return forecast;
}

std::string in_words(const RtoForecast& forecast) {
  if (!forecast.seconds) return "unknown: " + forecast.basis;
  return fmt::format("about {} ({} to {}), from {}", to_text(Seconds(*forecast.seconds)),
                     to_text(Seconds(forecast.low)), to_text(Seconds(forecast.high)),
                     forecast.basis);
}

std::string growth_in_words(const RtoForecast& forecast) {
  if (!forecast.exceeded) return {};
  return fmt::format("exceeds its objective about {} ({} to {})", date_of(*forecast.exceeded),
                     date_of(*forecast.earliest),
                     forecast.latest ? date_of(*forecast.latest) : "later than in ten years");
}

std::optional<ExpectedRecovery> expected_recovery(std::span<const Report> past,
                                                  std::uint64_t backup_bytes,
                                                  std::uint64_t wal_bytes) {
  // Seconds per byte.
  const auto rates = [&](std::string_view name) {
    std::vector<double> found;
    for (const auto& report : past) {
      for (const auto& phase : report.phases) {
        if (phase.name == name && phase.completed && phase.bytes.value_or(0) > 0) {
          found.push_back(phase.seconds / static_cast<double>(*phase.bytes));
        }
      }
    }
    return found;
  };
  const auto restore = rates("restore");
  const auto replay = rates("recover");
  if (restore.empty() || replay.empty()) return {};
  return ExpectedRecovery{.restore = middle(restore) * static_cast<double>(backup_bytes),
                          .replay = middle(replay) * static_cast<double>(wal_bytes),
                          .drills = restore.size()};
}

std::vector<ExpectedPhase> expected_phases(std::span<const Report> past,
                                           std::optional<std::uint64_t> bytes) {
  std::vector<ExpectedPhase> expected;
  if (past.empty()) return expected;
  for (const auto& phase : past.front().phases) {
    std::vector<double> seconds;
    std::vector<double> sizes;
    for (const auto& report : past) {
      const auto found = std::ranges::find_if(report.phases, [&](const auto& each) {
        return each.name == phase.name && each.completed;
      });
      if (found == report.phases.end()) continue;
      const bool scaled = bytes && found->bytes && phase.name == "restore" && report.backup &&
                          report.backup->bytes > 0;
      const double factor =
          scaled ? static_cast<double>(*bytes) / static_cast<double>(report.backup->bytes) : 1;
      seconds.push_back(found->seconds * factor);
      if (found->bytes) sizes.push_back(static_cast<double>(*found->bytes) * factor);
    }
    if (seconds.empty()) continue;
    expected.push_back({.name = phase.name,
                        .seconds = middle(seconds),
                        .low = std::ranges::min(seconds),
                        .high = std::ranges::max(seconds)});
    if (!sizes.empty()) expected.back().bytes = static_cast<std::uint64_t>(middle(sizes));
  }
  return expected;
}

}  // namespace pgrehearse
