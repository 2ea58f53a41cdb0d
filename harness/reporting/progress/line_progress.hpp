// Progress for logs and CI: one line per phase and check, without cursor movement.
#pragma once

#include <mutex>
#include <ostream>
#include <string>

#include "harness/drill/progress.hpp"

namespace pgrehearse {

class LineProgress : public ProgressListener {
 public:
  explicit LineProgress(std::ostream& out) : out_(out) {}

  void drill_started(const Report& report) override;
  void phase_started(std::string_view name, const PhaseExpectation& expected) override;
  void phase_progress(std::optional<double> fraction, std::string_view detail) override;
  void phase_finished(const PhaseRecord& phase) override;
  void check_finished(const CheckRecord& check) override;
  void drill_finished(const Report& report) override;

 private:
  void print(const std::string& text);

  std::ostream& out_;
  std::mutex mutex_;
  std::string scenario_;
};

}  // namespace pgrehearse
