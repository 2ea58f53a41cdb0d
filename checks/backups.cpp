// Are enough backups in each repository, recent enough, and of a plausible size? From the tool's
// list of backups alone; no file is read. The drill itself restores one of them.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "checks/checks.hpp"
#include "harness/common/counted.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

using std::chrono::milliseconds;

// A weekly backup that started late.
constexpr milliseconds default_max_age{std::chrono::hours(8 * 24)};
constexpr std::int64_t default_min_full = 1;
constexpr double default_size_change = 0.5;

constexpr std::array keys{
    KeyDescription{.name = "max_age",
                   .kind = KeyKind::duration,
                   .summary = "maximum age of the newest backup, of any type",
                   .example = "25h",
                   .default_value = "8d"},
    KeyDescription{.name = "max_full_age",
                   .kind = KeyKind::duration,
                   .summary = "maximum age of the newest full backup",
                   .example = "8d"},
    KeyDescription{.name = "min_full",
                   .kind = KeyKind::integer,
                   .summary = "least number of full backups, of which each can be restored",
                   .example = "2",
                   .default_value = "1"},
    KeyDescription{.name = "min_window",
                   .kind = KeyKind::duration,
                   .summary = "least age of the oldest full backup: how far back recovery reaches",
                   .example = "14d"},
    KeyDescription{.name = "max_size_change",
                   .kind = KeyKind::percentage,
                   .summary = "largest difference between the sizes of the cluster in the two "
                              "newest full backups; a note unless it is set",
                   .example = "20%",
                   .default_value = "50%"},
};

std::string repository_name(int key) { return fmt::format("repo{}", key); }

class BackupsCheck : public RepositoryCheck {
 public:
  explicit BackupsCheck(const Settings& settings)
      : max_age_(settings.get_or("max_age", default_max_age)),
        max_full_age_(settings.get<milliseconds>("max_full_age")),
        min_full_(settings.get_or("min_full", default_min_full)),
        min_window_(settings.get<milliseconds>("min_window")),
        max_size_change_(settings.get_or("max_size_change", default_size_change)),
        size_severity_(settings.get<double>("max_size_change") ? Severity::error : Severity::note) {
  }

  CheckOutcome run(const RepositoryContext& context) override {
    const auto list = context.repository.list(context.stop);
    std::set<int> keys_found;
    for (const auto& [key, status] : list.repositories) keys_found.insert(key);
    for (const auto& backup : list.backups) keys_found.insert(backup.repository_key);
    CheckOutcome outcome{.verdict = Verdict::pass};
    std::vector<std::string> parts;
    for (const int key : keys_found) {
      const auto status = list.repositories.find(key);
      CheckOutcome own{.verdict = Verdict::pass};
      if (status != list.repositories.end() && status->second.code != 0) {
        add_status(key, status->second, own);
      }
      if (own.findings.empty()) evaluate(key, backups_in(list, key), context, own);
      parts.push_back(
          fmt::format("{}: {}, {}", repository_name(key), name_of(own.verdict), own.summary));
      outcome.verdict = worst_of(std::array{outcome.verdict, own.verdict});
      std::ranges::move(own.findings, std::back_inserter(outcome.findings));
    }
    outcome.summary = join(parts, "; ");
    if (parts.empty()) {
      return {.verdict = Verdict::unknown, .summary = "the tool lists no repository"};
    }
    return outcome;
  }

 private:
  static std::vector<Backup> backups_in(const BackupList& list, int key) {
    std::vector<Backup> found;
    std::ranges::copy_if(list.backups, std::back_inserter(found),
                         [&](const auto& backup) { return backup.repository_key == key; });
    return found;
  }

  static void add(CheckOutcome& outcome, Finding finding, Severity severity = Severity::error) {
    finding.severity = severity;
    const auto verdict = severity == Severity::error     ? Verdict::fail
                         : severity == Severity::unknown ? Verdict::unknown
                                                         : Verdict::pass;
    outcome.verdict = worst_of(std::array{outcome.verdict, verdict});
    outcome.findings.push_back(std::move(finding));
  }

  // 1 to 3: no stanza, no backup, incomplete. 4 is "the repositories differ" and 99 "other", for
  // example one that cannot be reached.
  static void add_status(int key, const RepositoryStatus& status, CheckOutcome& outcome) {
    const bool empty = status.code >= 1 && status.code <= 3;
    const bool unclear = status.code == 4 || status.code == 99;
    outcome.summary = status.message;
    add(outcome,
        {.code = empty ? FindingCode::repo_empty : FindingCode::backup_status,
         .object = repository_name(key),
         .message =
             fmt::format("the backup tool reports for repository {}: {}", key, status.message),
         .hint = empty ? fmt::format("take a backup in repository {}", key)
                       : "list the backups of this repository with the backup tool"},
        unclear ? Severity::unknown : Severity::error);
  }

  void evaluate(int key, const std::vector<Backup>& backups, const RepositoryContext& context,
                CheckOutcome& outcome) const {
    std::vector<Backup> full;
    std::set<std::string> labels;
    for (const auto& backup : backups) labels.insert(backup.label);
    for (const auto& backup : backups) {
      if (!evaluate_backup(backup, labels, outcome)) continue;
      if (backup.type == BackupType::full) full.push_back(backup);
    }
    outcome.summary = fmt::format("{}, {} full", counted(backups.size(), "backup"), full.size());
    evaluate_age(key, backups, max_age_, "backup", context, outcome);
    if (max_full_age_) evaluate_age(key, full, *max_full_age_, "full backup", context, outcome);
    evaluate_retention(key, full, context, outcome);
    evaluate_size(full, outcome);
  }

  // False for a backup that does not count: a part of it is missing or damaged.
  static bool evaluate_backup(const Backup& backup, const std::set<std::string>& labels,
                              CheckOutcome& outcome) {
    bool sound = true;
    auto needed = backup.references;
    if (!backup.prior.empty()) needed.push_back(backup.prior);
    for (const auto& label : needed) {
      if (labels.contains(label)) continue;
      sound = false;
      add(outcome, {.code = FindingCode::backup_reference,
                    .object = backup.label,
                    .message = fmt::format("backup {} depends on {}, which is not in repository {}",
                                           backup.label, label, backup.repository_key),
                    .hint = "take a new full backup"});
      break;
    }
    if (!backup.error) return sound;
    add(outcome,
        {.code = FindingCode::backup_error,
         .object = backup.label,
         .message = fmt::format("page checksums were wrong when backup {} was taken", backup.label),
         .hint = "find the damaged pages on the primary, and take a new backup"});
    return false;
  }

  static void evaluate_age(int key, const std::vector<Backup>& backups, milliseconds limit,
                           std::string_view what, const RepositoryContext& context,
                           CheckOutcome& outcome) {
    const auto newest = std::ranges::max_element(backups, {}, &Backup::stop_time);
    if (newest == backups.end()) {
      add(outcome, {.code = FindingCode::backup_old,
                    .object = repository_name(key),
                    .message = fmt::format("repository {} has no usable {}", key, what),
                    .hint = fmt::format("take a {} in repository {}", what, key)});
      return;
    }
    const Seconds age(context.drill_started - newest->stop_time);
    outcome.summary += fmt::format(", newest {} {} old", what, to_text(age));
    if (age <= Seconds(limit)) return;
    add(outcome, {.code = FindingCode::backup_old,
                  .object = newest->label,
                  .message = fmt::format("the newest {} of repository {} is {} old (limit {})",
                                         what, key, to_text(age), to_text(Seconds(limit))),
                  .hint = "look for failed or missing runs of the backup job",
                  .details = {{"age_seconds", fmt::format("{:.0f}", age.count())},
                              {"allowed_seconds", fmt::format("{:.0f}", Seconds(limit).count())}}});
  }

  void evaluate_retention(int key, const std::vector<Backup>& full,
                          const RepositoryContext& context, CheckOutcome& outcome) const {
    if (static_cast<std::int64_t>(full.size()) < min_full_) {
      add(outcome, {.code = FindingCode::backup_retention,
                    .object = repository_name(key),
                    .message = fmt::format("repository {} has {}, fewer than {}", key,
                                           counted(full.size(), "usable full backup"), min_full_),
                    .hint = "compare the repository's retention with min_full of this check"});
    }
    const auto oldest = std::ranges::min_element(full, {}, &Backup::stop_time);
    if (!min_window_ || oldest == full.end()) return;
    const Seconds reach(context.drill_started - oldest->stop_time);
    if (reach >= Seconds(*min_window_)) return;
    add(outcome,
        {.code = FindingCode::backup_retention,
         .object = oldest->label,
         .message = fmt::format("recovery from repository {} reaches back {}, less than {}: its "
                                "oldest usable full backup is {}",
                                key, to_text(reach), to_text(Seconds(*min_window_)), oldest->label),
         .hint = "compare the repository's retention with min_window of this check"});
  }

  void evaluate_size(const std::vector<Backup>& full, CheckOutcome& outcome) const {
    if (full.size() < 2) return;
    const auto& newest = full[full.size() - 1];
    const auto& before = full[full.size() - 2];
    if (before.size.count == 0 || newest.size.count == 0) return;
    const auto ratio =
        static_cast<double>(newest.size.count) / static_cast<double>(before.size.count) - 1;
    if (std::abs(ratio) <= max_size_change_) return;
    add(outcome,
        {.code = FindingCode::backup_size,
         .object = newest.label,
         .message =
             fmt::format("the cluster in full backup {} is {:.0f} % {} than in {}: {} after "
                         "{}",
                         newest.label, std::abs(ratio) * 100, ratio < 0 ? "smaller" : "larger",
                         before.label, to_text(newest.size), to_text(before.size)),
         .hint = "find out what was removed from or added to the primary between the two"},
        size_severity_);
  }

  milliseconds max_age_;
  std::optional<milliseconds> max_full_age_;
  std::int64_t min_full_;
  std::optional<milliseconds> min_window_;
  double max_size_change_;
  Severity size_severity_;
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::backup_old,
    FindingCode::backup_retention,
    FindingCode::backup_size,
    FindingCode::backup_error,
    FindingCode::backup_reference,
    FindingCode::backup_status,
    FindingCode::repo_empty,
});

}  // namespace

CheckDescription backups_check() {
  return {.name = "backups",
          .summary = "each repository has enough backups, recent, complete and of a plausible size",
          .finds = finding_codes,
          .state = InstanceState::any,
          .keys = keys,
          .create = create<BackupsCheck>};
}

}  // namespace pgrehearse
