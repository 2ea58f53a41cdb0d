// A drill that recovers to a point in the past cannot be compared with the primary as it is now.
#pragma once

#include "harness/drill/check_context.hpp"

namespace pgrehearse {

// Whether the primary has, or may have, committed something that is not in the instance because the
// recovery target is before it. Throws SqlError if the primary cannot be queried.
bool is_past_target(const LandedContext& context);

}  // namespace pgrehearse
