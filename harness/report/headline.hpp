// What came of a drill, in one word and one line, for the history, the reporters and notifications.
#pragma once

#include <string>

#include "harness/report/report.hpp"

namespace pgrehearse {

// The record's verdict; `unknown` while there is no end in the record.
Verdict settled_verdict(const Report& report);

// The first line of the diagnosis, or that the drill did not finish and in which phase.
std::string headline(const Report& report);

}  // namespace pgrehearse
