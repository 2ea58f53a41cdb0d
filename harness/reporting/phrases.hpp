// Parts of the report in words, shared by the formats for people. Not escaped: each format does
// that itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/report/report.hpp"

namespace pgrehearse {

// "3min 22s", "30min", "12ms"
std::string duration_in_words(double seconds);
// "2026-11-20 03:00:00 UTC", or with another offset; whole seconds.
std::string time_in_words(Instant instant, std::chrono::minutes utc_offset = {});
// The offset with which the user wrote the recovery target; UTC otherwise.
std::chrono::minutes utc_offset_of(const Report& report);

// One or more lines.
std::vector<std::string> in_words(const BackupRecord& backup, std::chrono::minutes utc_offset = {});
// The first line is the time and the position that recovery reached.
std::vector<std::string> in_words(const Landing& landing);
std::string in_words(const ComparisonRecord& comparison);
std::string in_words(const SandboxRecord& sandbox);

// met, missed, unknown (not measured) or none (no objective set).
enum class ObjectiveState { met, missed, unknown, none };
ObjectiveState state_of(const ObjectiveRecord& objective);
// "4min 25s (objective 30min): met"
std::string in_words(const ObjectiveRecord& objective);
// Neither an objective nor a measurement: not worth a line.
bool is_empty(const ObjectiveRecord& objective);

// Failed checks first, then unknown, passed and skipped ones; otherwise in the order of the drill.
std::vector<CheckRecord> in_order_of_urgency(const std::vector<CheckRecord>& checks);
// "1 passed, 2 failed, 1 skipped"
std::string counts_in_words(const std::vector<CheckRecord>& checks);
// "4.6 GB, 23.3 MB/s"; empty if the size is not known
std::string volume_in_words(const PhaseRecord& phase);
// "restore 3min 22s (23.3 MB/s), recover 1min 3s, 4 others 2.4s": the longest phases, in order.
std::string in_words(const std::vector<PhaseRecord>& phases);
// "block 17, relation shop.public.orders"
std::string details_in_words(const Finding& finding);
// The code and the object of a finding, on one line; either may be empty. Control characters in the
// name of the object are visible escapes.
std::string code_and_object(FindingCode code, std::string_view object);

}  // namespace pgrehearse
