// The result of a drill in one word and in one line, for the history, reporters and notifications.
#pragma once

#include <string>

#include "harness/report/report.hpp"

namespace pgrehearse {

// The record's verdict; `unknown` for a drill that did not finish.
Verdict settled_verdict(const Report& report);

// The first line of the diagnosis; for a drill that did not finish, its last phase.
std::string headline(const Report& report);

}  // namespace pgrehearse
