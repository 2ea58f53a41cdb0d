// What the backup tool reports for the backup and the backups it depends on: errors during the
// backup, missing backups, files that do not match their checksums.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checks/checks.hpp"
#include "checks/parsers/stray_file.hpp"
#include "harness/common/counted.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t most_problems = 50;

constexpr std::array<KeyDescription, 1> keys{{
    {.name = "verify",
     .kind = KeyKind::boolean,
     .summary = "read the whole repository and verify every file's checksum",
     .example = "false",
     .default_value = "true"},
}};

// The file named in a line of the tool: the quoted text, else the first word with a slash.
std::string object_of(std::string_view line) {
  const auto quote = line.find_first_of("'\"");
  if (quote != std::string_view::npos) {
    const auto end = line.find(line[quote], quote + 1);
    if (end != std::string_view::npos) return std::string(line.substr(quote + 1, end - quote - 1));
  }
  const auto slash = line.find('/');
  if (slash == std::string_view::npos) return {};
  const auto blank = line.rfind(' ', slash);
  const auto begin = blank == std::string_view::npos ? 0 : blank + 1;
  return std::string(line.substr(begin, line.find_first_of(" ,", slash) - begin));
}

class BackupIntegrityCheck : public RepositoryCheck {
 public:
  explicit BackupIntegrityCheck(const Settings& settings)
      : verify_(settings.get_or("verify", true)) {}

  CheckOutcome run(const RepositoryContext& context) override {
    CheckOutcome outcome{.verdict = Verdict::pass};
    const auto list = context.repository.list(context.stop);
    evaluate_own_status(list, context.backup, outcome);
    evaluate_backup(context.backup, outcome);
    for (const auto& label : context.backup.references)
      evaluate_reference(label, context, list, outcome);
    evaluate_clock(list, context.backup, outcome);
    outcome.summary = fmt::format("backup {} (depends on {})", context.backup.label,
                                  counted(context.backup.references.size(), "backup"));
    if (verify_) evaluate_verification(context, outcome);
    evaluate_other_repositories(list, context.backup, outcome);
    return outcome;
  }

 private:
  static void add(CheckOutcome& outcome, Finding finding, Verdict verdict) {
    outcome.findings.push_back(std::move(finding));
    outcome.verdict = worst_of(std::array{outcome.verdict, verdict});
  }

  // The status of the repository that the backup is in, where the tool reports each.
  static void evaluate_own_status(const BackupList& list, const Backup& backup,
                                  CheckOutcome& outcome) {
    const auto own = list.repositories.find(backup.repository_key);
    evaluate_status(own == list.repositories.end() ? list.status : own->second, outcome);
  }

  // 4 is "the repositories differ" and 99 "other": neither says that this one is damaged.
  static void evaluate_status(const RepositoryStatus& status, CheckOutcome& outcome) {
    if (status.code == 0) return;
    const bool inconclusive = status.code == 4 || status.code == 99;
    add(outcome,
        {.code = FindingCode::backup_status,
         .severity = inconclusive ? Severity::unknown : Severity::error,
         .object = fmt::format("status {}", status.code),
         .message = fmt::format("the repository's status is not ok: {}", status.message),
         .hint = "run `pgbackrest info`"},
        inconclusive ? Verdict::unknown : Verdict::fail);
  }

  // A verdict for each: the drill restores from one of them.
  static void evaluate_other_repositories(const BackupList& list, const Backup& backup,
                                          CheckOutcome& outcome) {
    if (list.repositories.size() < 2) return;
    const auto own = name_of(outcome.verdict);
    outcome.summary = fmt::format("repo{}: {}, {}", backup.repository_key, own, outcome.summary);
    for (const auto& [key, status] : list.repositories) {
      if (key == backup.repository_key) continue;
      const auto verdict = evaluate_other(key, status, list, outcome);
      outcome.summary += fmt::format("; repo{}: {}", key, verdict);
    }
  }

  static std::string evaluate_other(int key, const RepositoryStatus& status, const BackupList& list,
                                    CheckOutcome& outcome) {
    const auto count =
        static_cast<std::size_t>(std::ranges::count(list.backups, key, &Backup::repository_key));
    if (status.code == 0) return counted(count, "backup") + ", not restored";
    // 1 to 3: no stanza, no backup, incomplete.
    const bool empty = status.code >= 1 && status.code <= 3;
    const bool unclear = !empty && status.code == 99;
    add(outcome,
        {.code = empty ? FindingCode::repo_empty : FindingCode::backup_status,
         .severity = unclear ? Severity::unknown : Severity::error,
         .object = fmt::format("repo{}", key),
         .message = empty ? fmt::format("repository {} has no backup: {}", key, status.message)
                          : fmt::format("the backup tool reports for repository {}: {}", key,
                                        status.message),
         .hint = empty ? fmt::format("take a backup with `pgbackrest --repo={0} backup`, or remove "
                                     "repo{0} from the configuration",
                                     key)
                       : "run `pgbackrest info`"},
        unclear ? Verdict::unknown : Verdict::fail);
    return fmt::format("{}, {}", name_of(unclear ? Verdict::unknown : Verdict::fail),
                       status.message);
  }

  // The labels are in the right order, whatever the clock showed.
  static void evaluate_clock(const BackupList& list, const Backup& backup, CheckOutcome& outcome) {
    const Backup* latest = nullptr;
    for (const auto& each : list.backups) {
      if (each.repository_key != backup.repository_key) continue;
      if (latest != nullptr && each.stop_time < latest->stop_time) {
        add(outcome,
            {.code = FindingCode::clock_wrong,
             .severity = Severity::note,
             .object = each.label,
             .message = fmt::format(
                 "backup {} was taken after {} and ended {} before it: the clock of the host that "
                 "takes backups was set back",
                 each.label, latest->label, to_text(Seconds(latest->stop_time - each.stop_time))),
             .hint = "run a time service on that host; recovery to a time around these backups "
                     "may start from the wrong one"},
            Verdict::pass);
        return;
      }
      if (latest == nullptr || each.stop_time > latest->stop_time) latest = &each;
    }
  }

  static void evaluate_backup(const Backup& backup, CheckOutcome& outcome) {
    if (!backup.error && backup.errors.empty()) return;
    const std::string hint =
        "the primary had damaged pages during the backup: check its disks, and use the newest "
        "backup that has no errors";
    if (backup.errors.empty()) {
      add(outcome,
          {.code = FindingCode::backup_error,
           .object = backup.label,
           .message = fmt::format("backup {} contains pages with checksum errors", backup.label),
           .hint = hint},
          Verdict::fail);
    }
    for (const auto& file : backup.errors) {
      if (is_stray_file(std::filesystem::path(file).filename().native())) {
        outcome.findings.push_back(
            {.code = FindingCode::checksums_stray,
             .object = file,
             .message = fmt::format("backup {} contains {}, which is not a file of PostgreSQL",
                                    backup.label, file),
             .hint = "remove it on the primary after finding out who created it"});
        continue;
      }
      add(outcome,
          {.code = FindingCode::backup_error,
           .object = file,
           .message = fmt::format("backup {} contains pages with checksum errors in {}",
                                  backup.label, file),
           .hint = hint,
           .details = {{"backup", backup.label}}},
          Verdict::fail);
    }
  }

  // pgBackRest marks a backup if any file in its manifest has wrong pages, also a file that is
  // stored in an earlier backup (measured with 2.45). Without the mark it uses none of them.
  static void evaluate_error_of(const Backup& earlier, const Backup& backup,
                                CheckOutcome& outcome) {
    if (backup.error || (!earlier.error && earlier.errors.empty())) {
      return evaluate_backup(earlier, outcome);
    }
    add(outcome,
        {.code = FindingCode::backup_repaired,
         .object = earlier.label,
         .message = fmt::format("backup {} contains pages with checksum errors{}{}; backup {} was "
                                "taken later and uses none of them",
                                earlier.label, earlier.errors.empty() ? "" : " in ",
                                join(earlier.errors, ", "), backup.label),
         .hint = "take a full backup, and let the damaged one expire",
         .details = {{"backup", earlier.label}}},
        Verdict::pass);
  }

  static void evaluate_reference(const std::string& label, const RepositoryContext& context,
                                 const BackupList& list, CheckOutcome& outcome) {
    const auto found =
        std::find_if(list.backups.begin(), list.backups.end(), [&](const auto& backup) {
          return backup.label == label && backup.repository_key == context.backup.repository_key;
        });
    if (found != list.backups.end()) return evaluate_error_of(*found, context.backup, outcome);
    add(outcome,
        {.code = FindingCode::backup_reference,
         .object = label,
         .message = fmt::format("backup {} depends on backup {}, which is not in the repository",
                                context.backup.label, label),
         .hint = "the backup cannot be restored completely: take a full backup now"},
        Verdict::fail);
  }

  static void evaluate_verification(const RepositoryContext& context, CheckOutcome& outcome) {
    try {
      const auto verification = context.repository.verify(context.backup, context.stop);
      outcome.summary += verification.ok ? ", every file verified" : ", verification found errors";
      const auto shown = std::min(verification.problems.size(), most_problems);
      for (std::size_t index = 0; index < shown; ++index) {
        const auto& problem = verification.problems[index];
        add(outcome, verification_finding(object_of(problem), problem), Verdict::fail);
      }
      if (verification.problems.size() > shown) {
        outcome.findings.back().message +=
            fmt::format(" (and {} more problems)", verification.problems.size() - shown);
      }
      if (!verification.ok && verification.problems.empty()) {
        add(outcome, verification_finding(context.backup.label, "verification failed"),
            Verdict::fail);
      }
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
      add(outcome,
          {.code = FindingCode::backup_unverified,
           .object = context.backup.label,
           .message = fmt::format("the repository could not be verified: {}", error.what()),
           .hint = error.hint()},
          Verdict::unknown);
    }
  }

  static Finding verification_finding(std::string object, std::string message) {
    return {.code = FindingCode::backup_verify,
            .object = std::move(object),
            .message = std::move(message),
            .hint =
                "check the repository's storage for errors, and "
                "take a new full backup"};
  }

  bool verify_;
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::backup_error,
    FindingCode::checksums_stray,
    FindingCode::backup_reference,
    FindingCode::backup_repaired,
    FindingCode::backup_status,
    FindingCode::backup_verify,
    FindingCode::backup_unverified,
    FindingCode::repo_empty,
    FindingCode::clock_wrong,
});

}  // namespace

CheckDescription backup_integrity_check() {
  return {.name = "backup_integrity",
          .summary = "the backup tool reports no errors in the backup or the backups it depends on",
          .finds = finding_codes,
          .state = InstanceState::any,
          .weight = 20,
          .keys = keys,
          .validate = validate<BackupIntegrityCheck>,
          .create = create<BackupIntegrityCheck>};
}

}  // namespace pgrehearse
