#include "checks/comparison/database_comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <set>

#include "checks/comparison/catalog_comparison.hpp"
#include "checks/comparison/sequence_comparison.hpp"
#include "harness/primary/fingerprint/catalog.hpp"
#include "harness/primary/fingerprint/content_workers.hpp"
#include "harness/primary/fingerprint/copied_content.hpp"
#include "harness/primary/fingerprint/relation_content.hpp"
#include "harness/primary/fingerprint/sequence_reading.hpp"
#include "harness/primary/user_code.hpp"

namespace pgrehearse {

namespace {

class Comparer {
 public:
  Comparer(FingerprintReader& reader, const DatabaseComparison& comparison, FindingList& findings,
           ComparisonTally& tally)
      : reader_(reader), comparison_(comparison), findings_(findings), tally_(tally) {}

  void run(const std::stop_token& stop) {
    line_ = reader_.next();
    auto connection = comparison_.connect();
    prepare_reading(connection, 0);
    if (comparison_.with_cluster) compare_catalog(connection, cluster_catalog(), true);
    compare_catalog(connection, database_catalog(), false);
    compare_sequences(connection);
    copied_ = relations_with_user_code(connection);
    compare_contents(stop);
    // A line of an unknown kind must be reported, not skipped silently.
    if (line_ != nullptr && here<DatabaseFingerprint>() == nullptr) {
      throw Error(ErrorKind::usage,
                  "the fingerprint contains entries unknown to this version of pgrehearse",
                  "take a new fingerprint with this version");
    }
    ++tally_.databases;
  }

 private:
  template <typename Line>
  const Line* here() const {
    return line_ == nullptr ? nullptr : std::get_if<Line>(line_);
  }
  void next() { line_ = reader_.next(); }

  void add_table(const RelationContent& expected, std::string_view result,
                 std::optional<std::int64_t> actual, std::string_view note = {}) {
    const bool counted = expected.coverage != Coverage::none;
    tally_.tables.push_back({.name = object_of(expected.name),
                             .result = std::string(result),
                             .coverage = std::string(name_of(expected.coverage)),
                             .expected = counted ? std::optional(expected.rows) : std::nullopt,
                             .actual = actual,
                             .bytes = static_cast<std::uint64_t>(expected.pages) * 8192,
                             .note = std::string(note)});
  }

  void difference(Finding finding) {
    ++tally_.differences;
    findings_.add(std::move(finding));
  }

  void gap(Finding finding) {
    ++tally_.gaps;
    finding.code = FindingCode::compare_incomplete;
    findings_.add(std::move(finding));
  }

  [[nodiscard]] std::string object_of(std::string_view name) const {
    return fmt::format("{}.{}", comparison_.database, name);
  }

  void compare_catalog(Connection& connection, std::span<const CatalogKind> kinds,
                       bool of_cluster) {
    for (const auto& kind : kinds) {
      if (!unlisted(kind.name)) compare_kind(connection, kind, of_cluster);
    }
  }

  // Whether the primary could not list entries of this kind.
  bool unlisted(std::string_view kind) {
    const auto* line = here<CatalogGap>();
    if (line == nullptr || line->kind != kind) return false;
    gap({.object = comparison_.database,
         .message = fmt::format(
             "catalog entries of kind '{}' in database {} could not be listed on the primary: {}",
             kind, comparison_.database, line->error)});
    next();
    return true;
  }

  void compare_kind(Connection& connection, const CatalogKind& kind, bool of_cluster) {
    const auto finding = [&](FindingCode code, const CatalogEntry& entry, const std::string& what) {
      const auto object = of_cluster ? entry.identity : object_of(entry.identity);
      if (!of_cluster) differing_.insert(entry.identity);
      difference({.code = code,
                  .object = object,
                  .message = fmt::format("{} {} {}", entry.kind, object, what),
                  .details = {{"kind", entry.kind}}});
    };
    CatalogMerge merge(
        {.peek =
             [&] {
               const auto* entry = here<CatalogEntry>();
               return entry != nullptr && entry->kind == kind.name ? entry : nullptr;
             },
         .pop = [this] { next(); }},
        {.missing =
             [&](const CatalogEntry& expected) {
               finding(FindingCode::compare_catalog_missing, expected,
                       "is not in the restored cluster");
             },
         .extra =
             [&](const CatalogEntry& actual) {
               if (kind.name == built_in_objects) return;
               finding(FindingCode::compare_catalog_extra, actual,
                       "is in the restored cluster but not on the primary");
             },
         .changed =
             [&](const CatalogEntry& expected, const CatalogEntry& actual) {
               finding(FindingCode::compare_catalog_changed, expected,
                       "differs: " + difference_of(expected.definition, actual.definition));
             }});
    list_catalog(connection, kind, [&](const CatalogEntry& entry) {
      ++tally_.entries;
      merge.push(entry);
    });
    merge.finish();
  }

  void compare_sequences(Connection& connection) {
    unlisted("sequence");
    auto found = read_sequences(connection);
    auto actual = found.begin();
    for (; const auto* expected = here<SequenceState>(); next()) {
      while (actual != found.end() && actual->name < expected->name) ++actual;
      // A sequence on one side only is reported as a catalog difference.
      if (actual == found.end() || actual->name != expected->name) continue;
      compare_sequence_pair(*expected, *actual);
    }
  }

  void compare_sequence_pair(const SequenceState& expected, const SequenceState& actual) {
    if (!actual.before && actual.locked) return locked(expected.name);
    if (!actual.before) {
      difference({.code = FindingCode::compare_unreadable,
                  .object = object_of(expected.name),
                  .message = fmt::format("sequence {} cannot be read in the restored cluster: {}",
                                         object_of(expected.name), actual.error)});
      return;
    }
    if (!expected.error.empty()) {
      gap({.object = object_of(expected.name),
           .message = fmt::format("sequence {} could not be read on the primary: {}",
                                  object_of(expected.name), expected.error),
           .hint = "grant select on it, or pg_read_all_data"});
      return;
    }
    const auto verdict = compare_sequence(expected, *actual.before);
    if (verdict == SequenceVerdict::not_comparable) {
      ++tally_.rewritten;
      return;
    }
    ++tally_.sequences;
    if (verdict == SequenceVerdict::same || !comparison_.exact) return;
    difference(
        {.code = FindingCode::compare_sequence,
         .object = object_of(expected.name),
         .message = fmt::format(
             "sequence {} is {} the primary's: {} in the restored cluster; on the primary {} "
             "before and {} after "
             "the snapshot",
             object_of(expected.name), verdict == SequenceVerdict::below ? "below" : "above",
             to_text(*actual.before), to_text(*expected.before), to_text(*expected.after)),
         .hint = verdict == SequenceVerdict::below
                     ? "find out what reset the sequence: it would return values already used"
                     : "",
         .details = {{"actual", std::to_string(actual.before->last_value)},
                     {"expected", std::to_string(expected.after->last_value)}}});
  }

  void compare_contents(const std::stop_token& stop) {
    std::vector<RelationContent> relations;
    for (; const auto* relation = here<RelationContent>(); next()) {
      if (relation->coverage == Coverage::none) {
        left_out(*relation);
      } else {
        relations.push_back(*relation);
      }
    }
    std::stable_sort(relations.begin(), relations.end(),
                     [](const auto& a, const auto& b) { return a.pages > b.pages; });
    const ContentWork work{
        .connections = comparison_.connections,
        .connect =
            [this](const std::stop_token&) {
              auto connection = comparison_.connect();
              prepare_reading(connection, static_cast<int>(comparison_.connections));
              return connection;
            },
        .read = [this](Connection& connection,
                       std::span<RelationContent> batch) { read(connection, batch); },
        .give_up = [this](std::span<RelationContent> batch,
                          const Error& error) { give_up(batch, error); },
        .on_progress = comparison_.on_progress};
    read_in_parallel(relations, work, stop);
  }

  // Relations whose contents are not in the fingerprint.
  void left_out(const RelationContent& relation) {
    add_table(relation, "not compared", {},
              relation.error.empty() ? name_of(relation.cause) : relation.error);
    if (relation.cause == Uncovered::rewritten && relation.as_text) {
      not_comparable(relation.name, relation.error);
    } else if (relation.cause == Uncovered::rewritten) {
      ++tally_.rewritten;
      findings_.add({.code = FindingCode::compare_not_comparable,
                     .object = object_of(relation.name),
                     .message = fmt::format("{} was truncated, rewritten or dropped while the "
                                            "fingerprint was taken",
                                            object_of(relation.name))});
    } else if (is_gap(relation.cause)) {
      gap({.object = object_of(relation.name),
           .message = fmt::format("{} was not read on the primary: {}", object_of(relation.name),
                                  relation.error),
           .details = {{"cause", std::string(name_of(relation.cause))}}});
    } else {
      ++tally_.by_choice[std::string(name_of(relation.cause))];
    }
  }

  void not_comparable(const std::string& name, std::string_view why) {
    ++tally_.rewritten;
    findings_.add({.code = FindingCode::compare_not_comparable,
                   .object = object_of(name),
                   .message = fmt::format("{} was not compared: {}", object_of(name), why)});
  }

  // Recovery holds the locks of transactions that had not ended at the pause point.
  void locked(const std::string& name) {
    ++tally_.rewritten;
    findings_.add(
        {.code = FindingCode::compare_not_comparable,
         .object = object_of(name),
         .message = fmt::format(
             "{} was locked (ACCESS EXCLUSIVE) by a transaction still running at this position",
             object_of(name))});
  }

  void read(Connection& connection, std::span<RelationContent> expected) {
    std::vector<const RelationContent*> in_order;
    std::vector<RelationContent> actual;
    for (const auto& relation : expected) {
      if (!copied_.contains(relation.name)) {
        in_order.push_back(&relation);
        actual.push_back(relation);
        continue;
      }
      auto copied = relation;
      read_by_copy(connection, copied);
      compare_content(relation, copied);
    }
    read_contents(connection, actual, ReadingSide::copy, comparison_.sample);
    for (std::size_t i = 0; i < actual.size(); ++i) compare_content(*in_order[i], actual[i]);
  }

  void give_up(std::span<RelationContent> batch, const Error& error) {
    const std::lock_guard lock(mutex_);
    for (const auto& relation : batch) unread(relation, error.what());
  }

  void unread(const RelationContent& relation, std::string_view why) {
    add_table(relation, "not compared", {}, why);
    const auto object = object_of(relation.name);
    gap({.object = object,
         .message = fmt::format("{} was not read in the restored cluster: {}", object, why)});
  }

  void unreadable(const std::string& object, const std::string& error) {
    difference(
        {.code = FindingCode::compare_unreadable,
         .object = object,
         .message = fmt::format("{} cannot be read in the restored cluster: {}", object, error),
         .hint = "run amcheck and page_checksums to find the extent of the damage"});
  }

  void compare_content(const RelationContent& expected, const RelationContent& actual) {
    const std::lock_guard lock(mutex_);
    const auto object = object_of(expected.name);
    if (actual.cause == Uncovered::rewritten) {
      add_table(expected, actual.as_text ? "not compared" : "unreadable", {}, actual.error);
      if (actual.as_text) return not_comparable(expected.name, actual.error);
      // The catalog may list what cannot be found by name: an index of the catalog is damaged.
      if (!differing_.contains(expected.name)) unreadable(object, actual.error);
      return;
    }
    if (actual.cause == Uncovered::locked) {
      add_table(expected, "not compared", {}, "locked");
      return locked(expected.name);
    }
    if (actual.cause == Uncovered::budget || actual.cause == Uncovered::permission) {
      return unread(expected, actual.error);
    }
    if (actual.coverage == Coverage::none) {
      add_table(expected, "unreadable", {}, actual.error);
      return unreadable(object, actual.error);
    }
    ++tally_.relations;
    ++tally_.by_coverage[std::string(name_of(expected.coverage))];
    tally_.rows += static_cast<std::uint64_t>(actual.rows);
    withheld(expected);
    const bool same = expected.rows == actual.rows && expected.hash == actual.hash;
    if (same || tolerated(expected, actual)) {
      return add_table(expected, "same", actual.rows, same ? "" : "within the tolerance");
    }
    add_table(expected,
              actual.rows < expected.rows   ? "missing rows"
              : actual.rows > expected.rows ? "extra rows"
                                            : "different",
              actual.rows);
    auto finding = content_finding(expected, actual, object);
    if (comparison_.on_difference && !copied_.contains(expected.name)) {
      comparison_.on_difference(expected, finding);
    }
    difference(std::move(finding));
  }

  void withheld(const RelationContent& relation) {
    for (const auto& column : relation.withheld) {
      gap({.object = fmt::format("{}.{}", object_of(relation.name), column),
           .message = fmt::format(
               "column {} of {} was not compared: the role has no permission to read it", column,
               object_of(relation.name)),
           .hint = "grant select on the whole table, or pg_read_all_data"});
    }
  }

  [[nodiscard]] bool tolerated(const RelationContent& expected,
                               const RelationContent& actual) const {
    if (comparison_.exact || comparison_.tolerance <= 0) return false;
    const auto allowed = std::floor(static_cast<double>(expected.rows) * comparison_.tolerance);
    return static_cast<double>(std::abs(expected.rows - actual.rows)) <= allowed;
  }

  static Finding content_finding(const RelationContent& expected, const RelationContent& actual,
                                 const std::string& object) {
    const auto of = expected.coverage == Coverage::sampled ? " in the sampled blocks" : "";
    Finding finding{.object = object,
                    .details = {{"expected", std::to_string(expected.rows)},
                                {"actual", std::to_string(actual.rows)},
                                {"coverage", std::string(name_of(expected.coverage))}}};
    if (actual.rows == expected.rows) {
      finding.code = FindingCode::compare_content;
      finding.message = fmt::format("{} has {} rows{}, as on the primary, but different content",
                                    object, actual.rows, of);
      finding.details["expected_hash"] = expected.hash;
      finding.details["actual_hash"] = actual.hash;
    } else {
      const bool fewer = actual.rows < expected.rows;
      finding.code = fewer ? FindingCode::compare_rows_missing : FindingCode::compare_rows_extra;
      finding.message = fmt::format("{} has {} rows{}, {} on the primary ({:+d})", object,
                                    actual.rows, of, expected.rows, actual.rows - expected.rows);
    }
    return finding;
  }

  FingerprintReader& reader_;
  const DatabaseComparison& comparison_;
  FindingList& findings_;
  ComparisonTally& tally_;
  const FingerprintLine* line_ = nullptr;
  std::set<std::string, std::less<>> differing_;  // objects reported as catalog differences
  std::set<std::string> copied_;                  // read with COPY (user_code.hpp)
  std::mutex mutex_;
};

}  // namespace

void compare_database(FingerprintReader& reader, const DatabaseComparison& comparison,
                      FindingList& findings, ComparisonTally& tally, const std::stop_token& stop) {
  Comparer(reader, comparison, findings, tally).run(stop);
}

}  // namespace pgrehearse
