// Does each index return the rows of its table, and does each visibility map agree with them?
// amcheck examines btree indexes only, and no visibility map. Rows are looked up through each index
// by their own values, in the promoted copy.
#include <fmt/format.h>

#include <array>

#include "checks/checks.hpp"
#include "checks/index_probe/index_prober.hpp"
#include "checks/index_probe/visibility.hpp"
#include "checks/shared/database_walk.hpp"
#include "checks/shared/name_patterns.hpp"
#include "harness/common/counted.hpp"

namespace pgrehearse {

namespace {

constexpr std::array keys{
    KeyDescription{.name = "rows_per_page",
                   .kind = KeyKind::integer,
                   .summary = "rows of each page to look up in large tables",
                   .example = "5",
                   .default_value = "1"},
    KeyDescription{.name = "full_pages",
                   .kind = KeyKind::integer,
                   .summary = "size up to which every row of a table is looked up, in pages",
                   .example = "1000",
                   .default_value = "16"},
    KeyDescription{.name = "max_seconds",
                   .kind = KeyKind::integer,
                   .summary = "time limit of the check; each index gets an equal share",
                   .example = "60",
                   .default_value = "600"},
    KeyDescription{.name = "visibility",
                   .kind = KeyKind::boolean,
                   .summary = "compare visibility maps with the rows (reads every table)",
                   .example = "false",
                   .default_value = "true"},
    KeyDescription{.name = "tables",
                   .kind = KeyKind::text_list,
                   .summary = "tables to probe, as patterns on database.schema.table",
                   .example = "[shop.public.*]"},
    KeyDescription{.name = "exclude",
                   .kind = KeyKind::text_list,
                   .summary = "tables and indexes to exclude, as patterns on database.schema.name",
                   .example = "[shop.staging.*]"}};

class IndexProbe : public InstanceCheck {
 public:
  explicit IndexProbe(const Settings& settings)
      : visibility_(settings.get_or("visibility", true)),
        tables_(settings.get_or<std::vector<std::string>>("tables", {"*"})),
        exclude_(settings.get_or<std::vector<std::string>>("exclude", {})) {
    rules_.rows_per_page = positive(settings, "rows_per_page", 1);
    rules_.full_pages = positive(settings, "full_pages", 16);
    limit_ = std::chrono::seconds(positive(settings, "max_seconds", 600));
  }

  CheckOutcome run(const LandedContext& context) override {
    const auto deadline = IndexProber::Clock::now() + limit_;
    context.connect({}).query("checkpoint");  // pages are also read from the files
    IndexProber prober(context, rules_, deadline, findings_, tally_);
    const auto walk = walk_databases(context, [&](const std::string& database, Connection& sql) {
      if (gone_) return;
      gone_ = !prober.probe(database, sql, wanted_indexes(database, sql));
      if (gone_ || !visibility_) return;
      maps_ += check_visibility_maps(
          database, sql,
          {.wanted = [&](const auto& relation) { return wanted(database, relation); },
           .deadline = deadline + limit_},
          findings_);
    });
    auto outcome =
        outcome_of(findings_.take(), gone_ ? DatabaseWalk{.looked_at = 1} : walk, summary_of());
    return outcome;
  }

 private:
  static std::uint64_t positive(const Settings& settings, const char* key, std::int64_t otherwise) {
    const auto value = settings.get_or(key, otherwise);
    if (value < 1) {
      throw Error(ErrorKind::usage, fmt::format("index_probe.{}: must be greater than zero", key));
    }
    return static_cast<std::uint64_t>(value);
  }

  [[nodiscard]] bool wanted(const std::string& database, const std::string& relation) const {
    return tables_.match_relation(database, relation) &&
           !exclude_.match_relation(database, relation);
  }

  [[nodiscard]] std::vector<ProbeIndex> wanted_indexes(const std::string& database,
                                                       Connection& sql) const {
    auto indexes = list_probe_indexes(sql);
    std::erase_if(indexes, [&](const auto& index) {
      return !wanted(database, index.table) || exclude_.match_relation(database, index.name);
    });
    return indexes;
  }

  [[nodiscard]] std::string summary_of() const {
    auto text = fmt::format("{} probed with {}", counted(tally_.probed, "index", "indexes"),
                            counted(tally_.rows, "lookup", "lookups"));
    const auto add = [&](std::uint64_t number, std::string_view what) {
      if (number > 0) text += fmt::format("; {} {}", number, what);
    };
    add(tally_.empty, "without a row to look up");
    add(tally_.partly, "only in part (time limit)");
    add(tally_.not_probed, "cannot be probed");
    if (visibility_) {
      text += fmt::format("; {} checked", counted(maps_, "visibility map", "visibility maps"));
    }
    return text;
  }

  SampleRules rules_;
  std::chrono::seconds limit_{};
  bool visibility_;
  NamePatterns tables_;
  NamePatterns exclude_;
  FindingList findings_;
  ProbeTally tally_;
  std::uint64_t maps_ = 0;
  bool gone_ = false;
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::probe_row_missing,
    FindingCode::probe_index,
    FindingCode::probe_visibility,
    FindingCode::probe_incomplete,
    FindingCode::probe_unsupported,
    FindingCode::rows_unreadable,
    FindingCode::database_unreadable,
});

}  // namespace

CheckDescription index_probe_check() {
  return {.name = "index_probe",
          .summary =
              "each index returns the rows of its table, and visibility maps agree with the rows",
          .finds = finding_codes,
          .state = InstanceState::read_write,
          .weight = 60,
          .keys = keys,
          .validate = validate<IndexProbe>,
          .create = create<IndexProbe>};
}

}  // namespace pgrehearse
