#include "harness/drill/expired_backup.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgrehearse {

namespace {

constexpr const char* run_again =
    "run the drill again; if this happens often, keep more backups or drill at another time";

}  // namespace

bool backup_expired(BackupRepository& repository, const std::string& label,
                    const std::stop_token& stop) {
  try {
    const auto now = repository.list(stop);
    return std::ranges::find(now.backups, label, &Backup::label) == now.backups.end();
  } catch (const Error&) {
    return false;
  }
}

Error expired_during_drill(const std::string& label, const Error& error) {
  return {ErrorKind::environment,
          fmt::format("backup {} expired during the drill: {}", label, error.what()), run_again,
          FindingCode::backup_expired, label};
}

void excuse_expired_backup(const std::string& label, std::vector<FinishedCheck>& checks) {
  for (auto& [record, comparison] : checks) {
    if (record.verdict != Verdict::fail) continue;
    record.verdict = Verdict::unknown;
    for (auto& finding : record.findings) finding.severity = Severity::note;
    record.findings.insert(
        record.findings.begin(),
        {.code = FindingCode::backup_expired,
         .object = label,
         .message = fmt::format("backup {} expired while it was being checked", label),
         .hint = run_again});
  }
}

}  // namespace pgrehearse
