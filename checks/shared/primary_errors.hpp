// What a check says when the primary cannot be asked.
#pragma once

#include <string>

#include "harness/primary/primary.hpp"
#include "harness/report/report.hpp"

namespace pgrehearse {

// Keeps the error's own code, hint and object (primary_no_leader, ...) where it has them.
// `action` says what was not possible: "the primary could not be counted".
Finding primary_trouble(const Primary& primary, const std::string& action, const SqlError& error);

}  // namespace pgrehearse
