// What past drills say about the next one: straight lines fitted by least squares, with their
// uncertainty (95 %).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/report/report.hpp"

namespace pgrehearse {

struct DataPoint {
  double x = 0;
  double y = 0;
};

class LinearFit {
 public:
  // nullopt for fewer than three samples, or if all have the same x.
  static std::optional<LinearFit> of(std::span<const DataPoint> samples);

  [[nodiscard]] double at(double x) const { return mean_y_ + slope_ * (x - mean_x_); }
  [[nodiscard]] double slope() const { return slope_; }
  // Half of the interval that contains the next value at x.
  [[nodiscard]] double margin_at(double x) const;

 private:
  double mean_x_ = 0;
  double mean_y_ = 0;
  double slope_ = 0;
  double spread_ = 0;    // sum of (x - mean)^2
  double residual_ = 0;  // standard deviation around the line
  std::size_t count_ = 0;
};

// One drill that passed.
struct PastRecovery {
  Instant at;
  double rto = 0;               // seconds, measured
  std::optional<double> bytes;  // size of the cluster
};

// RTO over size, and size over time.
struct RtoForecast {
  std::optional<double> seconds;  // of a restore now
  double low = 0;
  double high = 0;
  std::optional<double> bytes_per_day;
  // When the RTO exceeds its objective. Absent: not within ten years.
  std::optional<Instant> exceeded;
  std::optional<Instant> earliest;
  std::optional<Instant> latest;
  std::string basis;  // "23 drills since 2026-08-01", or why there is no forecast
};

// `past` in any order; `objective` in seconds.
RtoForecast forecast_rto(std::span<const PastRecovery> past, std::optional<double> objective,
                         Instant now);

// "about 4min 10s (3min 50s to 4min 30s), from 23 drills since 2026-08-01"
std::string in_words(const RtoForecast& forecast);
// "exceeds its objective about 2027-03-12 (2027-02-01 to 2027-05-10)"; empty: not within ten years.
std::string growth_in_words(const RtoForecast& forecast);

struct ExpectedPhase {
  std::string name;
  double seconds = 0;
  double low = 0;
  double high = 0;
  std::optional<std::uint64_t> bytes;
};

// The median of each phase of `past` (newest first; drills that passed), in the order of the
// newest. A phase that moves data is scaled from its drill's backup to one of `bytes`.
std::vector<ExpectedPhase> expected_phases(std::span<const Report> past,
                                           std::optional<std::uint64_t> bytes = {});

struct ExpectedRecovery {
  double restore = 0;  // seconds
  double replay = 0;
  std::size_t drills = 0;  // that it is derived from
};

// Of a backup of `backup_bytes` and the replay of `wal_bytes`, at the median rates of `past`.
// nullopt without a drill that measured both.
std::optional<ExpectedRecovery> expected_recovery(std::span<const Report> past,
                                                  std::uint64_t backup_bytes,
                                                  std::uint64_t wal_bytes);

}  // namespace pgrehearse
