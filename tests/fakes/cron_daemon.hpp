// What Debian's cron(8) would run, minute by minute: its main loop and find_jobs(), with the C
// library's time zones. Independent of harness/serve/schedule except for the parsed fields.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "harness/serve/schedule/cron_expression.hpp"

namespace pgrehearse {

// Offsets from UTC in minutes, one for each minute from `begin`. Sets TZ for its duration.
std::vector<int> offsets_of(const std::string& zone, std::time_t begin, std::size_t minutes);

// The minutes since 1970 at which cron starts the job. It starts a job that was due several times
// in a missing hour several times at once; here that is one time.
std::vector<std::int64_t> cron_runs(const CronExpression& job, std::int64_t first_minute,
                                    const std::vector<int>& offsets);

}  // namespace pgrehearse
