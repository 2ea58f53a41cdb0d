// Recovery targets as written on the command line.
#pragma once

#include <string>
#include <string_view>

#include "harness/common/time_zone.hpp"
#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

// "latest", "immediate", a time, "0/5000028", "xid:743", "name:before_release", and for a target
// that is not applied "before:743", "before:0/5000028" or "before:TIME". A time without a zone is
// read in `zone`. Throws Error(usage).
RecoveryTarget parse_target(std::string_view words, const TimeZone& zone, Instant now);

// A time as above; throws Error(usage).
Instant parse_time(std::string_view words, const TimeZone& zone, Instant now);

// "just before transaction 743", "2026-11-20 14:05:00 CET (13:05:00 UTC)"
std::string in_words(const RecoveryTarget& target, const TimeZone& zone);

// The inverse of parse_target(), for commands that people paste: "before:743".
std::string target_word(const RecoveryTarget& target);

}  // namespace pgrehearse
