#include "harness/primary/fingerprint/capture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ostream>

#include "harness/common/throw_if_stopped.hpp"
#include "harness/primary/fingerprint/catalog.hpp"
#include "harness/primary/fingerprint/content_workers.hpp"
#include "harness/primary/fingerprint/fingerprint_file.hpp"
#include "harness/primary/fingerprint/relation_content.hpp"
#include "harness/primary/fingerprint/sequence_reading.hpp"

namespace pgrehearse {

namespace {

struct ReadSequences {
  std::vector<SequenceState> states;
  std::string error;
};
using SequencesByDatabase = std::map<std::string, ReadSequences>;

// Identifies one run of one server: differs on another server and after a restart.
std::string server_mark(Connection& connection) {
  return connection.query("select pg_catalog.pg_postmaster_start_time()").text(0, 0);
}

std::string server_mark(const Primary& primary, const std::stop_token& stop) {
  auto connection = primary.connect({}, stop);
  return server_mark(connection);
}

// After a failover, the snapshot's name may belong to another snapshot on the new primary.
void guard(DatabaseSnapshot& snapshot, const std::string& mark) {
  if (!snapshot.join) return;
  snapshot.join = [join = std::move(snapshot.join), mark](std::stop_token stop) {
    auto connection = join(std::move(stop));
    if (server_mark(connection) == mark) return connection;
    throw SqlError({ErrorKind::environment,
                    "connected to a different server than the one holding the snapshot",
                    "a failover or restart happened: run the command again"},
                   "");
  };
}

FingerprintHeader header_of(const Primary& server, const std::string& source, const Sample& sample,
                            const std::stop_token& stop) {
  const auto identity = server.identity(stop);
  return {.system_identifier = identity.system_identifier,
          .server_version = identity.server_version,
          .timeline = identity.timeline,
          .taken = std::chrono::system_clock::now(),
          .source = source,
          .sample = sample};
}

// The current state of each database's sequences.
SequencesByDatabase sequences_now(const Primary& primary, const std::vector<std::string>& databases,
                                  const std::stop_token& stop) {
  SequencesByDatabase sequences;
  for (const auto& database : databases) {
    try {
      auto connection = primary.connect(database, stop);
      sequences[database].states = read_sequences(connection);
    } catch (const SqlError& error) {
      sequences[database].error = error.what();
    }
  }
  return sequences;
}

// Writes one database's part of the fingerprint.
class DatabaseCapture {
 public:
  DatabaseCapture(const DatabaseSnapshot& snapshot, const FingerprintRules& rules,
                  BudgetWatch& watch, FingerprintWriter& writer, CaptureSummary& summary)
      : snapshot_(snapshot), rules_(rules), watch_(watch), writer_(writer), summary_(summary) {}

  void run(ReadSequences before, ReadSequences after, const FingerprintProgress& on_progress,
           const std::stop_token& stop) {
    std::vector<RelationContent> relations;
    std::optional<Connection> connection;
    auto facts = snapshot_.facts;
    if (facts.error.empty()) facts.error = watch_.over();
    try {
      // The budget limits the reading of contents; lists are short and always read completely.
      if (facts.error.empty()) connection.emplace(join(stop));
    } catch (const SqlError& error) {
      facts.error = error.what();
    }
    writer_.write(facts);
    summary_.databases.push_back(facts);
    if (!connection) {
      ++summary_.gaps;
      return;
    }
    if (facts.with_cluster) write_catalog(*connection, cluster_catalog());
    write_catalog(*connection, database_catalog());
    write_sequences(std::move(before), std::move(after));
    relations = list_relations(*connection, [&](std::string_view relation, std::int64_t pages) {
      return rules_.relation ? rules_.relation(facts.database, relation, pages) : Coverage::full;
    });
    connection.reset();
    read(relations, on_progress);
    write(relations);
  }

 private:
  Connection join(const std::stop_token& stop) const {
    auto connection = snapshot_.join(stop);
    prepare_reading(connection, 0);
    return connection;
  }

  Connection join_for_contents(const std::stop_token& stop) const {
    auto connection = join(stop);
    if (rules_.budget.statement_timeout) {
      connection.query(
          fmt::format("set statement_timeout = {}", rules_.budget.statement_timeout->count()));
    }
    return connection;
  }

  void write_catalog(Connection& connection, std::span<const CatalogKind> kinds) {
    for (const auto& kind : kinds) {
      connection.query("savepoint catalog");
      try {
        list_catalog(connection, kind, [&](const CatalogEntry& entry) { writer_.write(entry); });
      } catch (const SqlError& error) {
        if (error.sqlstate().empty()) throw;
        write(CatalogGap{.kind = std::string(kind.name), .error = error.what()});
      }
      connection.query("rollback to savepoint catalog");
      connection.query("release savepoint catalog");
    }
  }

  void write(const CatalogGap& gap) {
    ++summary_.gaps;
    writer_.write(gap);
  }

  void write_sequences(ReadSequences before, ReadSequences after) {
    const auto& error = before.error.empty() ? after.error : before.error;
    if (!error.empty()) write(CatalogGap{.kind = "sequence", .error = error});
    for (const auto& state : merge_readings(std::move(before.states), std::move(after.states))) {
      summary_.gaps += state.error.empty() ? 0 : 1;
      writer_.write(state);
    }
  }

  void read(std::vector<RelationContent>& relations, const FingerprintProgress& on_progress) const {
    const ContentWork work{
        .connections = rules_.budget.connections,
        .connect = [this](const std::stop_token& stop) { return join_for_contents(stop); },
        .read =
            [this](Connection& connection, std::span<RelationContent> batch) {
              read_contents(connection, batch, ReadingSide::snapshot, rules_.sample);
            },
        .give_up = [this](std::span<RelationContent> batch,
                          const Error& error) { give_up(batch, error); },
        .on_progress =
            [&](std::uint64_t done, std::uint64_t total) {
              if (on_progress) on_progress(snapshot_.facts.database, done, total);
            }};
    read_in_parallel(relations, work, watch_.token());
  }

  void give_up(std::span<RelationContent> batch, const Error& error) const {
    const auto over = watch_.over();
    for (auto& relation : batch) {
      if (relation.coverage == Coverage::none) continue;
      relation.coverage = Coverage::none;
      relation.cause = over.empty() ? Uncovered::failed : Uncovered::budget;
      relation.error = over.empty() ? error.what() : over;
      relation.rows = 0;
      relation.hash.clear();
    }
  }

  void write(std::vector<RelationContent>& relations) {
    std::sort(relations.begin(), relations.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    for (const auto& relation : relations) {
      ++summary_.relations;
      summary_.compared += relation.coverage == Coverage::none ? 0 : 1;
      summary_.rows += static_cast<std::uint64_t>(relation.rows);
      summary_.gaps += (is_gap(relation.cause) ? 1 : 0) + relation.withheld.size();
      if (relation.cause != Uncovered::no) {
        ++summary_.left_out[std::string(name_of(relation.cause))];
      }
      writer_.write(relation);
    }
  }

  const DatabaseSnapshot& snapshot_;
  const FingerprintRules& rules_;
  BudgetWatch& watch_;
  FingerprintWriter& writer_;
  CaptureSummary& summary_;
};

}  // namespace

CaptureSummary FingerprintCapture::run(std::ostream& out, const FingerprintProgress& on_progress,
                                       const std::stop_token& stop) const {
  // Everything must come from the same server, also where several standbys would do.
  const auto server = primary_.pinned(stop);
  const auto mark = server_mark(server, stop);
  const auto header = header_of(server, primary_.description(), rules_.sample, stop);
  auto databases = server.databases(stop);
  std::erase_if(databases,
                [&](const auto& name) { return rules_.database && !rules_.database(name); });
  auto before = sequences_now(server, databases, stop);
  auto snapshots = take_(server, databases, stop);
  auto after = sequences_now(server, databases, stop);
  BudgetWatch watch(server, rules_.budget, stop);
  for (auto& snapshot : snapshots) guard(snapshot, mark);
  std::sort(snapshots.begin(), snapshots.end(),
            [](const auto& a, const auto& b) { return a.facts.database < b.facts.database; });
  FingerprintWriter writer(out, header);
  CaptureSummary summary;
  for (const auto& snapshot : snapshots) {
    const auto& name = snapshot.facts.database;
    DatabaseCapture(snapshot, rules_, watch, writer, summary)
        .run(std::move(before[name]), std::move(after[name]), on_progress, stop);
    throw_if_stopped(stop);
  }
  writer.finish();
  summary.budget_over = watch.over();
  return summary;
}

}  // namespace pgrehearse
