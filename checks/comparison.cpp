// Does the restored cluster equal the primary at one exact WAL position? The primary is read while
// the backup is restored; recovery pauses at that position, and everything is compared there.
#include <fmt/format.h>

#include <array>
#include <fstream>
#include <set>

#include "checks/checks.hpp"
#include "checks/comparison/comparison_capture.hpp"
#include "checks/comparison/comparison_rules.hpp"
#include "checks/comparison/comparison_verdict.hpp"
#include "checks/comparison/database_comparison.hpp"
#include "checks/comparison/drill_down.hpp"
#include "checks/shared/past_target.hpp"
#include "checks/shared/primary_errors.hpp"
#include "harness/drill/pause_point.hpp"
#include "harness/primary/fingerprint/relation_content.hpp"
#include "harness/primary/primary.hpp"

namespace pgrehearse {

namespace {

// Limits the relations in which the differing rows are searched.
constexpr std::size_t most_drilled_down = 20;

class ComparisonCheck : public InstanceCheck, private PausePointVisitor {
 public:
  explicit ComparisonCheck(const Settings& settings) : rules_(comparison_rules_of(settings)) {}

  void before_restore(const RestoreContext& context) override {
    if (against_file() || context.primary == nullptr) return;
    capture_.emplace(*context.primary, fingerprint_rules_of(rules_), context.read_commits,
                     rules_.drill_down);
  }

  PausePointVisitor* pause_point_visitor() override { return this; }

  CheckOutcome run(const LandedContext& context) override {
    if (failure_) throw Error(*failure_);
    if (!against_file() && context.primary == nullptr) {
      return unable({.code = FindingCode::compare_no_primary,
                     .message = "nothing to compare with: the scenario has no primary",
                     .hint = "add `primary: { dsn: ... }`, or `against: FILE`"});
    }
    try {
      const auto identifier = context.control.system_identifier;
      if (auto finding = unusable_file(identifier)) return unable(std::move(*finding));
      compare_past_points(context);
      for (const auto& database : databases(context.stop)) {
        if (!database.error.empty()) {
          not_read(database.database, database.error);
        } else if (!visited_.contains(database.database)) {
          not_reached(database, "recovery did not pause at the fingerprint's position");
        }
      }
    } catch (const SqlError& error) {
      return unable(primary_trouble(*context.primary, "the primary could not be read", error));
    }
    auto comparison = record_of(compared_);
    set_tables(comparison, std::move(tally_.tables));
    auto outcome = outcome_of(
        {.findings = findings_.take(), .tally = tally_, .points = std::move(compared_)}, rules_);
    outcome.comparison = std::move(comparison);
    return outcome;
  }

 private:
  std::vector<PausePoint> pause_points(const RepositoryContext& context) override {
    std::vector<PausePoint> points;
    try {
      if (unusable_file(context.backup.system_identifier)) return {};
      for (const auto& database : databases(context.stop)) {
        if (!database.error.empty()) continue;
        points.push_back({.lsn = database.lsn, .exclusive = database.exclusive, .taken = taken()});
      }
    } catch (const SqlError&) {
      return {};  // run() reports the same error
    }
    return points;
  }

  void at_pause_point(const InstanceContext& context, const PausePoint& point) override {
    for (const auto& database : databases(context.stop)) {
      if (is_at(database, point)) compare(context, database);
    }
  }

  void pause_point_unreachable(const PausePoint& point, const std::string& reason) override {
    for (const auto& database : databases({})) {
      if (is_at(database, point)) unreached_.emplace_back(database, reason);
    }
  }

  // The state at the target is that of the snapshots if the primary has committed nothing since.
  void compare_past_points(const LandedContext& context) {
    if (unreached_.empty()) return;
    const bool before = capture_ && context.scenario.target.type != TargetType::latest;
    const bool past = before && is_past_target(context);
    for (auto& [database, reason] : unreached_) {
      if (past) {
        past_target(database, context.scenario.target);
      } else if (before && context.landing.lsn && *context.landing.lsn <= database.lsn) {
        compare(context, database);
      } else {
        not_reached(database, reason);
      }
    }
  }

  void failed(const Error& error) override { failure_ = error; }

  static bool is_at(const DatabaseFingerprint& database, const PausePoint& point) {
    return database.error.empty() && database.lsn == point.lsn;
  }

  [[nodiscard]] bool against_file() const { return rules_.against != "primary"; }

  static CheckOutcome unable(Finding finding) {
    return {.verdict = Verdict::unknown,
            .findings = {std::move(finding)},
            .summary = "nothing compared"};
  }

  // Why the file cannot be used at all. `own` is the restored cluster's system identifier.
  [[nodiscard]] std::optional<Finding> unusable_file(std::uint64_t own) const {
    if (!against_file()) return {};
    Finding finding{.code = FindingCode::compare_file, .object = rules_.against};
    try {
      auto file = reader();
      databases_of(*file);
      const auto identifier = file->header().system_identifier;
      if (own == 0 || own == identifier) return {};
      finding.message = fmt::format(
          "{} is the fingerprint of another cluster (system identifier {}, expected {})",
          rules_.against, identifier, own);
      finding.hint =
          "take a new fingerprint of this stanza's primary with `pgrehearse fingerprint`";
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::usage) throw;
      finding.message = error.what();
      finding.hint = error.hint();
    }
    return finding;
  }

  // With the position at which each was read; waits until the positions are known.
  std::vector<DatabaseFingerprint> databases(const std::stop_token& stop) {
    if (capture_) return capture_->points(stop);
    if (!against_file()) return {};
    if (!of_file_) of_file_ = databases_of(*reader());
    return *of_file_;
  }

  // nullopt for a primary that is read now: a recovery target in the past is before that.
  [[nodiscard]] std::optional<Instant> taken() const {
    if (capture_) return {};
    return reader()->header().taken;
  }

  [[nodiscard]] std::unique_ptr<FingerprintReader> reader() const {
    if (capture_) return capture_->reader();
    return std::make_unique<FingerprintReader>(
        std::make_unique<std::ifstream>(rules_.against, std::ios::binary), rules_.against);
  }

  void compare(const InstanceContext& context, const DatabaseFingerprint& point) {
    visited_.insert(point.database);
    if (capture_) capture_->summary(context.stop);
    const auto file = reader();
    if (!file->seek(point.database)) {
      throw Error(ErrorKind::internal,
                  "the fingerprint has no data for database " + point.database);
    }
    // As it was written: joining the snapshot may have failed since it was found.
    auto facts = std::get<DatabaseFingerprint>(*file->next());
    if (!facts.error.empty()) return not_read(facts.database, facts.error);
    try {
      compare_database(*file, comparison_of(context, facts, file->header().sample), findings_,
                       tally_, context.stop);
      verify_in_flight(context, facts);
      compared_.push_back(facts);
    } catch (const SqlError& error) {
      not_read(facts.database, fmt::format("the restored cluster reports: {}", error.what()));
    }
  }

  DatabaseComparison comparison_of(const InstanceContext& context, const DatabaseFingerprint& facts,
                                   const Sample& sample) {
    return {.database = facts.database,
            .exact = facts.exact,
            .with_cluster = facts.with_cluster,
            .tolerance = rules_.tolerance,
            .sample = sample,
            .connections = copy_connections(context),
            .connect = [&context, name = facts.database] { return connect(context, name); },
            .on_progress =
                [&context, unit = "relations of " + facts.database](std::uint64_t done,
                                                                    std::uint64_t total) {
                  if (context.on_progress) context.on_progress(done, total, unit);
                },
            .on_difference =
                [this, &context, sample, name = facts.database](const RelationContent& relation,
                                                                Finding& finding) {
                  drill_down(context, name, relation, sample, finding);
                }};
  }

  // ACCESS EXCLUSIVE locks of transactions running at that position are held in the instance.
  static Connection connect(const InstanceContext& context, const std::string& database) {
    auto connection = context.connect(database);
    connection.query("set lock_timeout = '2s'");
    return connection;
  }

  static std::size_t copy_connections(const InstanceContext& context) {
    return std::max<std::size_t>(2, static_cast<std::size_t>(context.sandbox.cpus()));
  }

  void drill_down(const InstanceContext& context, const std::string& database,
                  const RelationContent& relation, const Sample& sample, Finding& finding) {
    if (!rules_.drill_down || !capture_ || ++drilled_down_ > most_drilled_down) return;
    if (relation.coverage == Coverage::counted || !relation.withheld.empty()) return;
    try {
      auto primary = capture_->join(database, context.stop);
      auto copy = context.connect(database);
      prepare_reading(primary, 0);
      prepare_reading(copy, 0);
      describe_keys(find_differing_keys(primary, copy, relation, sample, rules_.keys), finding);
    } catch (const SqlError& error) {
      finding.details["keys"] = fmt::format("could not be queried: {}", error.what());
    }
  }

  // The snapshot saw them running, so where it was taken they had not committed.
  void verify_in_flight(const InstanceContext& context, DatabaseFingerprint& facts) {
    if (!facts.exact || facts.in_flight.empty()) return;
    auto connection = context.connect(facts.database);
    std::vector<std::string> questions;
    for (const auto xid : facts.in_flight) {
      questions.push_back(fmt::format("select pg_xact_status('{}'::xid8)", xid));
    }
    const auto answers = connection.pipeline(questions);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const auto xid = facts.in_flight[i];
      // An error: the copy's WAL does not know the transaction yet, or not any more.
      if (!answers[i].error.empty() || answers[i].rows.text(0, 0) != "committed") continue;
      ++tally_.gaps;
      if (facts.exact) facts.explanation += "; contradicted by the restored cluster";
      facts.exact = false;
      findings_.add(
          {.code = FindingCode::compare_in_flight,
           .object = std::to_string(xid),
           .message = fmt::format("transaction {} was in progress in the primary's snapshot "
                                  "but is committed in the restored cluster",
                                  xid),
           .hint = "the comparison point was not exact: run the drill again"});
    }
  }

  void not_reached(const DatabaseFingerprint& point, const std::string& why) {
    visited_.insert(point.database);
    ++tally_.gaps;
    findings_.add(
        {.code = FindingCode::compare_not_reached,
         .object = point.database,
         .message = fmt::format(
             "database {} was not compared: {}{}", point.database, why,
             point.exact || point.explanation.empty() ? "" : " (" + point.explanation + ")"),
         .hint = "recover to `latest`, and make the primary archive WAL sooner: set "
                 "`archive_timeout`, or grant the role EXECUTE on pg_switch_wal() (see "
                 "docs/comparison.md)"});
  }

  void past_target(const DatabaseFingerprint& point, const RecoveryTarget& target) {
    visited_.insert(point.database);
    ++tally_.gaps;
    findings_.add(
        {.code = FindingCode::compare_past_target,
         .object = point.database,
         .message = fmt::format("database {} was not compared: the primary has moved on since {}, "
                                "its contents are not comparable at this target",
                                point.database, to_text(target)),
         .hint =
             "compare with a fingerprint of that time (`against: FILE`), or recover to latest"});
  }

  void not_read(const std::string& database, const std::string& why) {
    ++tally_.gaps;
    findings_.add({.code = FindingCode::compare_incomplete,
                   .object = database,
                   .message = fmt::format("database {} was not compared: {}", database, why)});
  }

  ComparisonRules rules_;
  std::optional<ComparisonCapture> capture_;
  std::optional<std::vector<DatabaseFingerprint>> of_file_;
  std::set<std::string> visited_;
  std::vector<std::pair<DatabaseFingerprint, std::string>> unreached_;  // and why
  FindingList findings_;
  ComparisonTally tally_;
  std::vector<DatabaseFingerprint> compared_;
  std::size_t drilled_down_ = 0;
  std::optional<Error> failure_;  // at a pause point
};

constexpr auto finding_codes = with_primary_errors(std::to_array<FindingCode>({
    FindingCode::compare_content,
    FindingCode::compare_rows_missing,
    FindingCode::compare_rows_extra,
    FindingCode::compare_sequence,
    FindingCode::compare_catalog_missing,
    FindingCode::compare_catalog_extra,
    FindingCode::compare_catalog_changed,
    FindingCode::compare_unreadable,
    FindingCode::compare_not_comparable,
    FindingCode::compare_incomplete,
    FindingCode::compare_inexact,
    FindingCode::compare_in_flight,
    FindingCode::compare_not_reached,
    FindingCode::compare_past_target,
    FindingCode::compare_file,
    FindingCode::compare_no_primary,
}));

}  // namespace

CheckDescription comparison_check() {
  return {.name = "comparison",
          .summary = "the restored cluster matches the primary at one exact WAL position",
          .finds = finding_codes,
          .state = InstanceState::paused,
          .weight = 90,
          .keys = comparison_keys(),
          .validate = validate<ComparisonCheck>,
          .create = create<ComparisonCheck>};
}

}  // namespace pgrehearse
