// Progress of a running drill. Two listeners exist: a live line for terminals, and one plain line
// per phase for everything else.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/common/units.hpp"
#include "harness/report/report.hpp"

namespace pgrehearse {

// From earlier drills that passed; absent: not known.
struct PhaseExpectation {
  PhaseExpectation() = default;
  PhaseExpectation(Seconds phase_takes) : phase(phase_takes) {}
  std::optional<Seconds> phase;
  std::optional<Seconds> later_phases;  // all that follow
};

class ProgressListener {
 public:
  virtual ~ProgressListener() = default;
  virtual void drill_started(const Report& report) = 0;
  virtual void phase_started(std::string_view name, const PhaseExpectation& expected) = 0;
  // fraction 0..1 where known; detail in words ("1.2 GB of 4.6 GB"). Called from several threads.
  virtual void phase_progress(std::optional<double> fraction, std::string_view detail) = 0;
  virtual void phase_finished(const PhaseRecord& phase) = 0;
  virtual void check_finished(const CheckRecord& check) = 0;
  virtual void drill_finished(const Report& report) = 0;
};

}  // namespace pgrehearse
