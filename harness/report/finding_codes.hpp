// The table of finding codes. docs/findings has a page for each code.
#pragma once

#include <array>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include "harness/common/finding_code.hpp"

namespace pgrehearse {

// What a finding does to the verdict of its check.
enum class Severity {
  error,    // the check fails
  unknown,  // the check is unknown, unless another finding makes it fail
  note,     // nothing
};
inline constexpr std::array all_severities = {Severity::error, Severity::unknown, Severity::note};

enum class LikelyCause {
  none,
  backup,
  archive,  // WAL archiving
  primary,
  environment,  // the host, the sandbox, the network
  scenario,
  pgrehearse,  // a bug; no code has it
};
inline constexpr std::array all_likely_causes = {
    LikelyCause::none,        LikelyCause::backup,   LikelyCause::archive,   LikelyCause::primary,
    LikelyCause::environment, LikelyCause::scenario, LikelyCause::pgrehearse};

struct FindingCodeDescription {
  FindingCode code = FindingCode::none;
  std::string_view text;  // as in reports and the names of pages
  Severity severity = Severity::error;
  LikelyCause likely_cause = LikelyCause::none;
  int rank = 0;  // a cause has a lower rank than its consequences
  std::string_view summary;
};

// All codes except `none`.
std::span<const FindingCodeDescription> finding_code_table();

// Empty for `none`.
std::string_view text_of(FindingCode code);
// `none` for a text that is not in the table.
FindingCode finding_code_of(std::string_view text);

// The severity unless the finding states another one. Unknown for `none`.
Severity severity_of(FindingCode code);
LikelyCause likely_cause_of(FindingCode code);
constexpr int last_rank = std::numeric_limits<int>::max();
// `last_rank` for `none`.
int rank_of(FindingCode code);

std::string_view name_of(Severity severity);
std::optional<Severity> parse_severity(std::string_view name);
std::string_view name_of(LikelyCause cause);
std::optional<LikelyCause> parse_likely_cause(std::string_view name);

}  // namespace pgrehearse
