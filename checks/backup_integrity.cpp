// What the backup tool reports for the backup and the backups it depends on: errors during the
// backup, missing backups, files that do not match their checksums.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checks/checks.hpp"

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
    evaluate_status(list.status, outcome);
    evaluate_backup(context.backup, outcome);
    for (const auto& label : context.backup.references)
      evaluate_reference(label, context, list, outcome);
    outcome.summary = fmt::format("backup {} and the {} it depends on", context.backup.label,
                                  backups_text(context.backup.references.size()));
    if (verify_) evaluate_verification(context, outcome);
    return outcome;
  }

 private:
  static std::string backups_text(std::size_t count) {
    return fmt::format("{} backup{}", count, count == 1 ? "" : "s");
  }

  static void add(CheckOutcome& outcome, Finding finding, Verdict verdict) {
    outcome.findings.push_back(std::move(finding));
    outcome.verdict = worst_of(std::array{outcome.verdict, verdict});
  }

  // 4 is "the repositories differ" and 99 "other": neither says that this one is damaged.
  static void evaluate_status(const RepositoryStatus& status, CheckOutcome& outcome) {
    if (status.code == 0) return;
    const bool inconclusive = status.code == 4 || status.code == 99;
    add(outcome,
        {.code = FindingCode::backup_status,
         .severity = inconclusive ? Severity::unknown : Severity::error,
         .object = fmt::format("status {}", status.code),
         .message = fmt::format("the backup tool reports for the repository: {}", status.message),
         .hint = "run `pgbackrest info`"},
        inconclusive ? Verdict::unknown : Verdict::fail);
  }

  static void evaluate_backup(const Backup& backup, CheckOutcome& outcome) {
    if (!backup.error && backup.errors.empty()) return;
    const std::string hint =
        "the primary had damaged pages during the backup: check its disks, and restore the newest "
        "backup without errors";
    if (backup.errors.empty()) {
      add(outcome,
          {.code = FindingCode::backup_error,
           .object = backup.label,
           .message = fmt::format("backup {} contains pages with checksum errors", backup.label),
           .hint = hint},
          Verdict::fail);
    }
    for (const auto& file : backup.errors) {
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

  static void evaluate_reference(const std::string& label, const RepositoryContext& context,
                                 const BackupList& list, CheckOutcome& outcome) {
    const auto found =
        std::find_if(list.backups.begin(), list.backups.end(), [&](const auto& backup) {
          return backup.label == label && backup.repository_key == context.backup.repository_key;
        });
    if (found != list.backups.end()) return evaluate_backup(*found, outcome);
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
      outcome.summary += verification.ok ? ", every file verified" : ", verified with errors";
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
                "files in the repository changed after they were written: check its storage, and "
                "take a new full backup"};
  }

  bool verify_;
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::backup_error,
    FindingCode::backup_reference,
    FindingCode::backup_status,
    FindingCode::backup_verify,
    FindingCode::backup_unverified,
});

}  // namespace

CheckDescription backup_integrity_check() {
  return {.name = "backup_integrity",
          .summary = "the backup tool reports no error in the backup and the backups it depends on",
          .finds = finding_codes,
          .state = InstanceState::any,
          .weight = 20,
          .keys = keys,
          .validate = validate<BackupIntegrityCheck>,
          .create = create<BackupIntegrityCheck>};
}

}  // namespace pgrehearse
