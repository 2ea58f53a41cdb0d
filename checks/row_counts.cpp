// Does every table hold as many rows as it should? Against the primary, counted while the restore
// runs, or against a file of earlier counts.
#include <fmt/format.h>

#include <array>
#include <charconv>

#include "checks/checks.hpp"
#include "checks/comparison/row_comparison.hpp"
#include "checks/parsers/recorded_counts.hpp"
#include "checks/shared/copied_counts.hpp"
#include "checks/shared/database_walk.hpp"
#include "checks/shared/name_patterns.hpp"
#include "checks/shared/past_target.hpp"
#include "checks/shared/primary_errors.hpp"
#include "harness/primary/primary_counts.hpp"

namespace pgrehearse {

namespace {

constexpr std::array keys{
    KeyDescription{
        .name = "against",
        .kind = KeyKind::text,
        .summary =
            "`primary`, or a JSON file of earlier counts: {\"database\": {\"schema.table\": rows}}",
        .example = "primary",
        .default_value = "primary"},
    KeyDescription{.name = "tolerance",
                   .kind = KeyKind::percentage,
                   .summary = "allowed difference, as a share of the expected count",
                   .example = "1%",
                   .default_value = "0%"},
    KeyDescription{.name = "exclude",
                   .kind = KeyKind::text_list,
                   .summary = "tables to exclude, as database.schema.table patterns",
                   .example = "[shop.audit.*]"},
    KeyDescription{.name = "minimum_rows",
                   .kind = KeyKind::text_map,
                   .summary = "minimum number of rows, by database.schema.table pattern",
                   .example = "{ shop.public.orders: 1000 }"},
};

std::map<std::string, std::int64_t> minimum_rows_of(const Settings& settings) {
  std::map<std::string, std::int64_t> least;
  for (const auto& [pattern, text] :
       settings.get_or<std::map<std::string, std::string>>("minimum_rows", {})) {
    std::int64_t rows = -1;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), rows);
    if (failure != std::errc{} || end != text.data() + text.size() || rows < 0) {
      throw Error(ErrorKind::usage, fmt::format("row_counts.minimum_rows: '{}' for {} is not a "
                                                "valid row count",
                                                text, pattern));
    }
    least[pattern] = rows;
  }
  return least;
}

class RowCountsCheck : public InstanceCheck {
 public:
  explicit RowCountsCheck(const Settings& settings) {
    const auto against = settings.get_or<std::string>("against", "primary");
    rules_.tolerance = settings.get_or<double>("tolerance", 0);
    rules_.exclude = NamePatterns(settings.get_or<std::vector<std::string>>("exclude", {}));
    rules_.minimum_rows = minimum_rows_of(settings);
    if (against == "primary") return;
    rules_.source = against;
    rules_.all_databases = false;
    recorded_ = read_recorded_counts(against);
  }

  void before_restore(const RestoreContext& context) override {
    if (recorded_ || context.primary == nullptr) return;
    counting_.emplace(*context.primary, wanted());
    counting_->start();
  }

  CheckOutcome run(const LandedContext& context) override {
    if (!recorded_ && context.primary == nullptr) {
      return {.verdict = Verdict::unknown,
              .findings = {{.code = FindingCode::rows_no_primary,
                            .message = "nothing to compare with: the scenario has no primary",
                            .hint = "add `primary: { dsn: ... }`, or `against: FILE`"}},
              .summary = "nothing compared"};
    }
    const auto actual = count_copy(context);
    if (recorded_) return compare_rows(*recorded_, actual, rules_);
    try {
      const auto& expected = counting_->get(context.stop);
      if (is_past_target(context)) return past_target(context, actual);
      return compare_rows(expected, actual, rules_);
    } catch (const SqlError& error) {
      return {.verdict = Verdict::unknown,
              .findings = {primary_trouble(*context.primary,
                                           "the rows on the primary could not be counted", error)},
              .summary = "nothing compared"};
    }
  }

 private:
  // The minimum numbers of rows hold at any target.
  [[nodiscard]] CheckOutcome past_target(const LandedContext& context,
                                         const RowCounts& actual) const {
    auto outcome = require_minimum_rows(actual, rules_);
    outcome.findings.push_back(
        {.code = FindingCode::rows_past_target,
         .object = to_text(context.scenario.target),
         .message = fmt::format("the primary has moved on since {}: its row counts are not "
                                "comparable at this target",
                                to_text(context.scenario.target)),
         .hint = "compare with a file of that time (`against: FILE`), or recover to latest"});
    if (outcome.verdict != Verdict::fail) outcome.verdict = Verdict::unknown;
    return outcome;
  }

  [[nodiscard]] DatabaseTableFilter wanted() const {
    return [exclude = rules_.exclude](std::string_view database, std::string_view relation) {
      return relation.empty() ? !exclude.match_database(database)
                              : !exclude.match_relation(database, relation);
    };
  }

  [[nodiscard]] RowCounts count_copy(const InstanceContext& context) const {
    auto databases = context.databases;
    if (recorded_ && rules_.minimum_rows.empty()) {
      std::erase_if(databases, [&](const auto& name) { return !recorded_->contains(name); });
    }
    return count_copied({.connect = context.connect,
                         .databases = std::move(databases),
                         .exclude = rules_.exclude,
                         .on_progress = context.on_progress});
  }

  RowComparison rules_;
  std::optional<RowCounts> recorded_;
  std::optional<PrimaryCounts> counting_;
};

constexpr auto finding_codes = with_primary_errors(std::to_array<FindingCode>({
    FindingCode::rows_differ,
    FindingCode::rows_missing_table,
    FindingCode::rows_extra_table,
    FindingCode::rows_missing_database,
    FindingCode::rows_extra_database,
    FindingCode::rows_too_few,
    FindingCode::rows_unreadable,
    FindingCode::rows_locked,
    FindingCode::rows_uncounted,
    FindingCode::rows_no_primary,
    FindingCode::rows_past_target,
    FindingCode::database_unreadable,
}));

}  // namespace

CheckDescription row_counts_check() {
  return {.name = "row_counts",
          .summary = "every table's row count matches the primary or a file of earlier counts",
          .finds = finding_codes,
          .state = InstanceState::paused,
          .weight = 50,
          .keys = keys,
          .validate = validate<RowCountsCheck>,
          .create = create<RowCountsCheck>};
}

}  // namespace pgrehearse
