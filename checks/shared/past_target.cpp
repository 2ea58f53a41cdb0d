#include "checks/shared/past_target.hpp"

#include "harness/primary/primary_state.hpp"

namespace pgrehearse {

bool is_past_target(const LandedContext& context) {
  if (context.scenario.target.type == TargetType::latest || context.primary == nullptr) {
    return false;
  }
  const auto state = read_primary_state(*context.primary, context.stop);
  auto copy = context.connect({});
  auto primary = context.primary->connect({}, context.stop);
  return !has_all_commits(copy, primary, state).value_or(false);
}

}  // namespace pgrehearse
