#include "harness/locate/incident_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>

namespace pgrehearse {

namespace {

constexpr std::size_t most_candidates = 1000;

template <typename Container>
bool contains(const Container& values, const auto& value) {
  return std::ranges::find(values, value) != values.end();
}

bool has_rows(char kind) { return kind == 'r' || kind == 'm'; }

std::uint64_t weight(const RecordCounts& counts) { return counts.deleted + counts.updated; }

}  // namespace

std::string_view name_of(IncidentKind kind) {
  switch (kind) {
    case IncidentKind::dropped:
      return "dropped";
    case IncidentKind::truncated:
      return "truncated";
    case IncidentKind::deleted:
      return "deleted";
    case IncidentKind::updated:
      return "updated";
    case IncidentKind::database_dropped:
      return "database dropped";
  }
  return "";
}

void IncidentSearch::Pending::add(Pending other) {
  created.insert(created.end(), other.created.begin(), other.created.end());
  for (const auto& [file, counts] : other.work) work[file] += counts;
  dropped_databases.insert(dropped_databases.end(), other.dropped_databases.begin(),
                           other.dropped_databases.end());
}

IncidentSearch::IncidentSearch(IncidentQuestion question, CatalogRelations catalog, Lsn since)
    : question_(std::move(question)),
      catalog_(std::move(catalog)),
      since_(since),
      searched_(catalog_.searched.begin(), catalog_.searched.end()) {
  for (std::size_t at = 0; at < catalog_.relations.size(); ++at) {
    const auto& relation = catalog_.relations[at];
    by_oid_[relation.oid] = at;
    if (relation.file.number == 0) continue;
    by_file_[relation.file] = relation.oid;
    known_files_.insert(relation.file.number);
    if (searched_.contains(relation.oid)) searched_files_.insert(relation.file.number);
  }
}

std::function<bool(std::uint32_t file_number)> IncidentSearch::watched() const {
  // A file that the catalog does not have may become the relation's.
  return [known = known_files_, searched = searched_files_](std::uint32_t file) {
    return searched.contains(file) || !known.contains(file);
  };
}

bool IncidentSearch::counts_rows() const {
  return question_.kind == IncidentKind::deleted || question_.kind == IncidentKind::updated;
}

void IncidentSearch::take(const WalChunk& chunk) {
  for (const auto& made : chunk.created) {
    pending_[made.xid].created.push_back(made.file);
    const auto known = by_file_.find(made.file);
    // The first file of a table has the number of its OID: the table was created here.
    if (known != by_file_.end() && searched_.contains(known->second) &&
        made.file.number != known->second) {
      made_searched_file_ = true;
    }
  }
  for (const auto& [key, counts] : chunk.work) pending_[key.first].work[key.second] += counts;
  for (const auto& drop : chunk.dropped_databases) {
    pending_[drop.xid].dropped_databases.push_back(drop.database);
  }
  for (std::size_t at = 0; at < chunk.ends.size(); ++at) {
    const auto& end = chunk.ends[at];
    const auto found = chunk.details.find(at);
    const auto* details = found == chunk.details.end() ? nullptr : &found->second;
    auto pending = take_pending(end.xid, details);
    if (end.aborted || end.lsn < since_) continue;
    commit(end, details, std::move(pending));
  }
}

IncidentSearch::Pending IncidentSearch::take_pending(std::uint32_t xid,
                                                     const CommitDetails* details) {
  std::vector<std::uint32_t> xids{xid};
  if (details != nullptr) {
    xids.insert(xids.end(), details->subtransactions.begin(), details->subtransactions.end());
  }
  Pending all;
  for (const auto each : xids) {
    if (auto node = pending_.extract(each)) all.add(std::move(node.mapped()));
  }
  return all;
}

bool IncidentSearch::in_range(const TransactionEnd& end) const {
  if (question_.from && (!end.time || *end.time < *question_.from)) return false;
  return !question_.to || (end.time && *end.time <= *question_.to);
}

void IncidentSearch::commit(const TransactionEnd& end, const CommitDetails* details,
                            Pending pending) {
  if (!first_) first_ = end;
  last_ = end;
  std::vector<TableChange> changes;
  if (question_.kind == IncidentKind::database_dropped) {
    if (contains(pending.dropped_databases, catalog_.database_oid) && in_range(end)) {
      add({.commit = end,
           .what = "dropped database " + question_.table.database,
           .earlier_commits = commits_});
    }
  } else {
    if (details != nullptr) changes = apply_files(end, *details, pending);
    if (in_range(end)) consider(end, changes, pending);
    const auto counts = counts_in_searched(pending);
    row_change_ += static_cast<double>(counts.inserted) - static_cast<double>(counts.deleted);
  }
  ++commits_;
}

// What the commit did to each table whose file it removed; the catalog gets the new files.
std::vector<IncidentSearch::TableChange> IncidentSearch::apply_files(const TransactionEnd& end,
                                                                     const CommitDetails& details,
                                                                     const Pending& pending) {
  std::vector<const CatalogRelation*> gone;  // nullptr: a file of an unknown relation
  // Files are listed last first.
  for (auto file = details.dropped.rbegin(); file != details.dropped.rend(); ++file) {
    if (file->database != catalog_.database_oid || contains(pending.created, *file)) continue;
    const auto oid = by_file_.find(*file);
    gone.push_back(oid == by_file_.end() ? nullptr : &catalog_.relations[by_oid_.at(oid->second)]);
  }
  if (std::ranges::all_of(gone, [](const auto* relation) { return relation == nullptr; })) {
    return {};
  }
  std::vector<FileNode> fresh;  // of relations that exist already
  std::vector<FileNode> born;   // of new relations: their OID is the number of their first file
  for (const auto& file : pending.created) {
    if (file.database != catalog_.database_oid || contains(details.dropped, file)) continue;
    (contains(details.invalidated, file.number) ? born : fresh).push_back(file);
  }
  std::vector<TableChange> changes;
  std::vector<const CatalogRelation*> moved;
  for (const auto* relation : gone) {
    if (relation == nullptr) {
      moved.push_back(nullptr);
      continue;
    }
    const bool dropped = contains(details.dropped_statistics, relation->oid);
    auto change = Change::dropped;
    if (!dropped && !fresh.empty()) change = Change::truncated;
    if (!dropped && fresh.empty() && !born.empty()) {
      change = question_.lists_dropped_relations ? Change::rewritten : Change::dropped_or_rewritten;
    }
    if (!dropped && !fresh.empty() && !born.empty() && relation->kind != 'i') {
      const auto indexes = std::ranges::count_if(
          gone, [&](const auto* other) { return other == nullptr || other->kind == 'i'; });
      // A rewrite creates a table without a name of its own, and new files only for indexes.
      if (std::ssize(fresh) <= indexes) change = Change::rewritten;
    }
    if (change != Change::dropped) moved.push_back(relation);
    if (has_rows(relation->kind)) changes.push_back({.change = change, .table = *relation});
  }
  follow(moved, std::move(fresh), std::move(born), end);
  for (const auto& change : changes) {
    if (change.change == Change::dropped) by_file_.erase(change.table.file);
  }
  return changes;
}

void IncidentSearch::give_file(std::uint32_t oid, FileNode file) {
  auto& relation = catalog_.relations[by_oid_.at(oid)];
  by_file_.erase(relation.file);
  relation.file = file;
  by_file_[file] = oid;
  if (!searched_.contains(oid)) return;
  searched_files_.insert(file.number);
  ++rewrites_;
}

// TRUNCATE makes the new files in the order in which it removes the old ones. A rewrite (VACUUM
// FULL, CLUSTER, ALTER TABLE) first makes those of the table, its TOAST relation and the index of
// that, then those of the indexes, in the order in which it removes the old ones.
void IncidentSearch::follow(const std::vector<const CatalogRelation*>& gone,
                            std::vector<FileNode> fresh, std::vector<FileNode> born,
                            const TransactionEnd& end) {
  if (gone.empty()) return;
  constexpr std::uint32_t unknown = 0;
  const auto move_all = [this](const std::vector<std::uint32_t>& oids,
                               std::span<const FileNode> files) {
    if (oids.size() != files.size()) return false;
    for (std::size_t at = 0; at < oids.size(); ++at) {
      if (oids[at] != unknown) give_file(oids[at], files[at]);
    }
    return true;
  };
  std::vector<std::uint32_t> all;
  std::vector<std::uint32_t> tables;
  std::vector<std::uint32_t> toasts;  // and their indexes, after them
  std::vector<std::uint32_t> indexes;
  for (const auto* relation : gone) {
    all.push_back(relation == nullptr ? unknown : relation->oid);
    if (relation == nullptr || relation->kind == 'i') {
      const bool of_toast = relation != nullptr && relation->name.starts_with("pg_toast.");
      if (!of_toast) indexes.push_back(all.back());
    } else {
      (relation->kind == 't' ? toasts : tables).push_back(relation->oid);
    }
  }
  for (const auto* relation : gone) {
    const bool of_toast =
        relation != nullptr && relation->kind == 'i' && relation->name.starts_with("pg_toast.");
    if (of_toast) toasts.push_back(relation->oid);
  }
  if (born.empty() && move_all(all, fresh)) return;
  if (tables.size() == 1 && !born.empty()) {
    give_file(tables.front(), born.front());
    move_all(toasts, std::span(born).subspan(1));
    move_all(indexes, fresh);
    return;
  }
  const bool concerns_searched =
      std::ranges::any_of(tables, [this](auto oid) { return searched_.contains(oid); });
  if (!concerns_searched || !lost_track_.empty()) return;
  lost_track_ = fmt::format(
      "transaction {} at {} rewrote several tables: the file of {} is not known from there on",
      end.xid, pgrehearse::to_text(end.lsn), pgrehearse::to_text(question_.table));
}

RecordCounts IncidentSearch::counts_in_searched(const Pending& pending) const {
  RecordCounts counts;
  for (const auto& [file, each] : pending.work) {
    if (searched_files_.contains(file)) counts += each;
  }
  return counts;
}

std::optional<double> IncidentSearch::rows_before() const {
  double rows = 0;
  for (const auto oid : searched_) {
    const auto& relation = catalog_.relations[by_oid_.at(oid)];
    if (!has_rows(relation.kind)) continue;
    if (relation.rows < 0) return {};
    rows += relation.rows;
  }
  return std::max(0.0, rows + row_change_);
}

void IncidentSearch::consider(const TransactionEnd& end, const std::vector<TableChange>& changes,
                              const Pending& pending) {
  IncidentCandidate candidate{.commit = end,
                              .counts = counts_in_searched(pending),
                              .rows = rows_before(),
                              .earlier_commits = commits_};
  bool wanted = false;
  bool unsure = false;
  for (const auto& [change, table] : changes) {
    const bool ours = searched_.contains(table.oid);
    const std::string_view word = change == Change::dropped     ? "dropped"
                                  : change == Change::truncated ? "truncated"
                                  : change == Change::rewritten ? "rewritten"
                                                                : "dropped or rewritten";
    candidate.relations.push_back(fmt::format("{} {}", table.name, word));
    const bool drop = change == Change::dropped || change == Change::dropped_or_rewritten;
    const bool fits = question_.kind == IncidentKind::dropped     ? drop
                      : question_.kind == IncidentKind::truncated ? change == Change::truncated
                                                                  : false;
    if (ours && fits) wanted = true;
    if (ours && fits && change == Change::dropped_or_rewritten) unsure = true;
  }
  if (counts_rows()) {
    const auto rows = question_.kind == IncidentKind::deleted ? candidate.counts.deleted
                                                              : candidate.counts.updated;
    wanted = rows > 0 && rows >= question_.at_least;
    std::map<std::string, RecordCounts> others;
    for (const auto& [file, counts] : pending.work) {
      const FileNode any{.database = catalog_.database_oid, .number = file};
      const auto relation = std::ranges::find_if(by_file_, [&](const auto& each) {
        return each.first.number == any.number && each.first.database == any.database;
      });
      if (!wanted || relation == by_file_.end()) continue;
      others[catalog_.relations[by_oid_.at(relation->second)].name] += counts;
    }
    for (const auto& [name, counts] : others) {
      candidate.relations.push_back(fmt::format("{} ({} inserted, {} updated, {} deleted)", name,
                                                counts.inserted, counts.updated, counts.deleted));
    }
  }
  if (!wanted) return;
  candidate.certain = !unsure;
  const auto table = pgrehearse::to_text(question_.table);
  candidate.what =
      question_.kind == IncidentKind::deleted
          ? fmt::format("deleted {} rows of {}", candidate.counts.deleted, table)
      : question_.kind == IncidentKind::updated
          ? fmt::format("updated {} rows of {}", candidate.counts.updated, table)
          : fmt::format("{} {}", unsure ? "dropped or rewrote" : name_of(question_.kind), table);
  add(std::move(candidate));
}

void IncidentSearch::add(IncidentCandidate candidate) {
  if (candidates_.size() == most_candidates) {
    const auto least = std::ranges::min_element(
        candidates_, {}, [](const auto& each) { return weight(each.counts); });
    if (weight(least->counts) >= weight(candidate.counts)) return;
    candidates_.erase(least);
  }
  candidates_.push_back(std::move(candidate));
}

}  // namespace pgrehearse
