#include "harness/faults/fault_keys.hpp"

#include <array>

namespace pgrehearse {

namespace {

constexpr std::array<std::string_view, 6> phases{"primary",       "repository", "archive",
                                                 "configuration", "sandbox",    "environment"};
constexpr std::array<std::string_view, 3> laboratories{"plain", "encrypted", "timelines"};
constexpr std::array<std::string_view, 3> verdicts{"pass", "fail", "unknown"};

constexpr auto expectation = std::to_array<KeyDescription>({
    {.name = "verdict",
     .kind = KeyKind::choice,
     .summary = "the verdict that the drill must reach",
     .example = "fail",
     .required = true,
     .choices = verdicts},
    {.name = "code",
     .kind = KeyKind::text_list,
     .summary = "the finding codes that the drill must give",
     .example = "PGR-WAL-GAP"},
    {.name = "instead",
     .kind = KeyKind::text_list,
     .summary = "codes that do as well in a copy of a repository that no laboratory made",
     .example = "[PGR-LANDING-SHORT]"},
    {.name = "object",
     .kind = KeyKind::text_list,
     .summary = "what each finding must name; @words@ are what the damage really hit",
     .example = "\"@segment@\""},
});

constexpr auto keys = std::to_array<KeyDescription>({
    {.name = "name",
     .summary = "how the fault is called, as its file",
     .example = "wal-segment-missing",
     .required = true},
    {.name = "summary",
     .summary = "one line: what is broken",
     .example = "a WAL segment is gone from the middle of the archive",
     .required = true},
    {.name = "source",
     .summary = "the incident, issue or document that it stands for",
     .example = "pgbackrest/pgbackrest#524",
     .required = true},
    {.name = "phase",
     .kind = KeyKind::choice,
     .summary = "where it arises",
     .example = "archive",
     .required = true,
     .choices = phases},
    {.name = "tags",
     .kind = KeyKind::text_list,
     .summary = "words to choose it by",
     .example = "[wal, quick]"},
    {.name = "laboratory",
     .kind = KeyKind::choice,
     .summary = "the kind of laboratory that it needs",
     .example = "timelines",
     .default_value = "plain",
     .choices = laboratories},
    {.name = "set",
     .kind = KeyKind::text_list,
     .summary = "values of the scenario, for the control run as well: key=value",
     .example = "[\"recover_to=immediate\"]"},
    {.name = "damage",
     .kind = KeyKind::check_list,
     .summary = "the actions that plant it, in order",
     .example = "[remove_segment: { which: middle }]",
     .required = true},
    {.name = "expect",
     .kind = KeyKind::section,
     .summary = "what the drill must say",
     .required = true,
     .children = expectation},
});

}  // namespace

std::span<const KeyDescription> fault_keys() { return keys; }

std::span<const std::string_view> fault_phases() { return phases; }

}  // namespace pgrehearse
