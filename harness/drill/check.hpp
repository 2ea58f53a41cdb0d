// One question about the restored cluster. A check is a class in checks/ and a row in its table. It
// writes nowhere but in the sandbox, and is `unknown` when the answer could not be determined.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "harness/drill/check_context.hpp"
#include "harness/report/verdict.hpp"
#include "harness/scenario/language/settings.hpp"

namespace pgrehearse {

class PausePointVisitor;  // harness/drill/pause_point.hpp

struct CheckOutcome {
  Verdict verdict = Verdict::unknown;
  std::vector<Finding> findings;
  std::string summary;  // one line: what was examined, in numbers ("14 tables, 1,204,331 rows")
  // The report's `comparison`, from the check that compared with the primary.
  std::optional<ComparisonRecord> comparison = {};
};

// Derive from RepositoryCheck, InstanceCheck or StoppedCheck.
class Check {
 public:
  virtual ~Check() = default;
  // Called once before the restore. Starts work that runs in parallel with the restore, and returns
  // at once.
  virtual void before_restore(const RestoreContext& /*context*/) {}
  // Called for a check of a stopped instance while the instance still runs, before it is stopped.
  // An exception makes the check `unknown`.
  virtual void before_stop(const LandedContext& /*context*/) {}
  // nullptr: the check does not need recovery to pause on its way.
  virtual PausePointVisitor* pause_point_visitor() { return nullptr; }
  [[nodiscard]] virtual bool runs_in(InstanceState state) const = 0;
  // May throw: the drill turns an exception into `unknown` with its message.
  virtual CheckOutcome run_in(const CheckContext& context) = 0;
};

// A check that runs in the states of one context type.
template <typename Context>
class CheckIn : public Check {
 public:
  [[nodiscard]] bool runs_in(InstanceState state) const final { return Context::covers(state); }
  CheckOutcome run_in(const CheckContext& context) final { return run(std::get<Context>(context)); }
  virtual CheckOutcome run(const Context& context) = 0;
};
using RepositoryCheck = CheckIn<RepositoryContext>;
using InstanceCheck = CheckIn<LandedContext>;
using StoppedCheck = CheckIn<StoppedContext>;

// The constructor of a check for its row of the table: from the settings, or without any.
template <typename T>
std::unique_ptr<Check> create(const Settings& settings) {
  if constexpr (std::is_constructible_v<T, const Settings&>) {
    return std::make_unique<T>(settings);
  } else {
    return std::make_unique<T>();
  }
}

// For the row of a check whose constructor rejects settings that contradict each other.
template <typename T>
void validate(const Settings& settings) {
  static_cast<void>(T(settings));
}

}  // namespace pgrehearse
