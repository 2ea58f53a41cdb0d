// Progress for --quiet: none.
#pragma once

#include "harness/drill/progress.hpp"

namespace pgrehearse {

class SilentProgress : public ProgressListener {
 public:
  void drill_started(const Report& /*report*/) override {}
  void phase_started(std::string_view /*name*/, const PhaseExpectation& /*expected*/) override {}
  void phase_progress(std::optional<double> /*fraction*/, std::string_view /*detail*/) override {}
  void phase_finished(const PhaseRecord& /*phase*/) override {}
  void check_finished(const CheckRecord& /*check*/) override {}
  void drill_finished(const Report& /*report*/) override {}
};

}  // namespace pgrehearse
