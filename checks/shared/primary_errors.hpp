// What a check says when the primary cannot be asked.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "harness/primary/primary.hpp"
#include "harness/report/report.hpp"

namespace pgrehearse {

inline constexpr auto primary_errors = std::to_array<FindingCode>({
    FindingCode::primary_unreachable,
    FindingCode::primary_role,
    FindingCode::primary_no_leader,
    FindingCode::primary_no_member,
    FindingCode::primary_paused,
    FindingCode::primary_cluster,
    FindingCode::primary_standby_cluster,
});

// The codes of a check that asks the primary: its own and those above.
template <std::size_t N>
constexpr auto with_primary_errors(const std::array<FindingCode, N>& own) {
  std::array<FindingCode, N + primary_errors.size()> all{};
  std::ranges::copy(primary_errors, std::ranges::copy(own, all.begin()).out);
  return all;
}

// Keeps the error's own code, hint and object (primary_no_leader, ...) where it has them.
// `action` says what was not possible: "the primary could not be counted".
Finding primary_trouble(const Primary& primary, const std::string& action, const SqlError& error);

}  // namespace pgrehearse
