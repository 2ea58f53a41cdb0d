#include "harness/repository/pgbackrest/pgbackrest_verification.hpp"

#include <algorithm>

#include "harness/common/text.hpp"
#include "harness/repository/pgbackrest/pgbackrest_message.hpp"

namespace pgrehearse {

namespace {

// The text between `before` and the next comma.
std::string_view field(std::string_view line, std::string_view before) {
  const auto at = line.find(before);
  if (at == std::string_view::npos) return {};
  const auto value = line.substr(at + before.size());
  return value.substr(0, value.find(','));
}

// "2026-11-21 01:23:19.590 P01   INFO: invalid checksum '...'": the text after the level.
std::string_view logged(std::string_view line) {
  for (const std::string_view level : {" INFO: ", " WARN: ", " DETAIL: "}) {
    const auto at = line.find(level);
    if (at != std::string_view::npos && at < 40) return line.substr(at + level.size());
  }
  return {};
}

bool is_problem(std::string_view text) {
  if (text.ends_with(", skipping")) return false;
  // verifyErrorMsg() and the other error lines of src/command/verify/verify.c.
  constexpr std::string_view beginnings[] = {"invalid checksum '", "invalid size '",
                                             "file missing '",     "invalid result ",
                                             "archiveIds '",       "backup '"};
  return std::ranges::any_of(beginnings, [&](auto begin) { return text.starts_with(begin); });
}

// The backup or archive that a summary line reports as invalid; empty: valid.
std::string_view subject_of_summary(std::string_view line) {
  if (line.starts_with("backup: ")) {
    const auto status = field(line, "status: ");
    const bool fine = status == "valid" || status == "in-progress";
    return fine ? std::string_view() : field(line, "backup: ");
  }
  if (line.starts_with("archiveId: ")) {
    const bool fine = field(line, "total WAL checked: ") == field(line, "total valid WAL: ");
    return fine ? std::string_view() : field(line, "archiveId: ");
  }
  return {};
}

bool is_counts(std::string_view line) {
  return line.starts_with("missing: ") || line.starts_with("checksum invalid: ") ||
         line.starts_with("size invalid: ") || line.starts_with("other: ");
}

}  // namespace

std::optional<BackupRepository::Verification> parse_verification(std::string_view output) {
  BackupRepository::Verification result{.output = replace_unreadable(output)};
  std::string_view status;
  std::vector<std::string> summaries;
  bool in_report = false;  // the report as text, not its copy in the log
  for (const auto raw : lines_of(result.output)) {
    const auto line = trim(raw);
    if (const auto text = logged(raw); !text.empty()) {
      in_report = false;
      if (is_problem(text)) result.problems.push_back(excerpt(text));
    } else if (raw.starts_with("stanza: ")) {
      in_report = true;
    } else if (in_report && raw.starts_with("status: ")) {
      status = field(raw, "status: ");
    } else if (in_report && raw.starts_with("  ") && !is_counts(line)) {
      const auto subject = subject_of_summary(line);
      const bool backup_or_archive =
          line.starts_with("backup: ") || line.starts_with("archiveId: ");
      const bool none = line == "archiveId: none found" || line == "backup: none found";
      const bool explained = std::ranges::any_of(result.problems, [&](const std::string& problem) {
        return !subject.empty() && problem.find(std::string(subject) + "/") != std::string::npos;
      });
      if (none || (backup_or_archive ? !subject.empty() && !explained : true)) {
        summaries.emplace_back(line);
      }
    }
  }
  if (status.empty()) return {};
  for (auto& summary : summaries) result.problems.push_back(std::move(summary));
  if (status != "ok" && result.problems.empty()) {
    result.problems.push_back("pgbackrest verify reports status " + std::string(status));
  }
  result.ok = status == "ok" && result.problems.empty();
  return result;
}

}  // namespace pgrehearse
