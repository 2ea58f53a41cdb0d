#include "harness/faults/fault_keys.hpp"

#include <array>

#include "harness/report/finding_codes.hpp"

namespace pgrehearse {

namespace {

constexpr std::array<std::string_view, 6> phases{"primary",       "repository", "archive",
                                                 "configuration", "sandbox",    "environment"};
constexpr std::array<std::string_view, 3> laboratories{"plain", "encrypted", "timelines"};
constexpr std::array<std::string_view, 3> verdicts{"pass", "fail", "unknown"};
constexpr std::array<std::string_view, 1> errors{"usage"};

const auto expectation = std::to_array<KeyDescription>({
    {.name = "verdict",
     .kind = KeyKind::choice,
     .summary = "the verdict that the drill must reach",
     .example = "fail",
     .required = true,
     .choices = verdicts},
    {.name = "error",
     .kind = KeyKind::choice,
     .summary = "the kind of error that must end the drill; usage: exit code 3",
     .example = "usage",
     .choices = errors},
    {.name = "code",
     .kind = KeyKind::text_list,
     .summary = "the finding codes that the drill must report",
     .example = text_of(FindingCode::wal_gap)},
    {.name = "alternatives",
     .kind = KeyKind::text_list,
     .summary = "codes also accepted in a copy of a user's repository",
     .example = text_of(FindingCode::landing_short)},
    {.name = "object",
     .kind = KeyKind::text_list,
     .summary = "object of each finding; @words@ are replaced with what was damaged",
     .example = "\"@segment@\""},
});

const auto keys = std::to_array<KeyDescription>({
    {.name = "name",
     .summary = "name of the fault and of its file",
     .example = "wal-segment-missing",
     .required = true},
    {.name = "summary",
     .summary = "one line: what is damaged",
     .example = "a WAL segment in the middle of the archive is missing",
     .required = true},
    {.name = "source",
     .summary = "the incident, issue or document it is based on",
     .example = "pgbackrest/pgbackrest#524",
     .required = true},
    {.name = "phase",
     .kind = KeyKind::choice,
     .summary = "phase in which it occurs",
     .example = "archive",
     .required = true,
     .choices = phases},
    {.name = "tags",
     .kind = KeyKind::text_list,
     .summary = "tags for --tag",
     .example = "[wal, quick]"},
    {.name = "laboratory",
     .kind = KeyKind::choice,
     .summary = "kind of laboratory",
     .example = "timelines",
     .default_value = "plain",
     .choices = laboratories},
    {.name = "set",
     .kind = KeyKind::text_list,
     .summary = "key=value overrides for the scenario; also used in the control run",
     .example = "[\"recover_to=immediate\"]"},
    {.name = "damage",
     .kind = KeyKind::check_list,
     .summary = "the actions that inject it, in order",
     .example = "[remove_segment: { which: middle }]",
     .required = true},
    {.name = "expect",
     .kind = KeyKind::section,
     .summary = "the result that the drill must report",
     .required = true,
     .children = expectation},
    {.name = "expect_basebackup",
     .kind = KeyKind::section,
     .summary = "the same for backups of pg_basebackup, where it is another",
     .children = expectation},
    {.name = "expect_barman",
     .kind = KeyKind::section,
     .summary = "the same for Barman, where it is another",
     .children = expectation},
});

}  // namespace

std::span<const KeyDescription> fault_keys() { return keys; }

std::span<const std::string_view> fault_phases() { return phases; }

}  // namespace pgrehearse
