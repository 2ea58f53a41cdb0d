// Snapshots of a server that nobody writes to: any point is exact there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/primary/capture.hpp"

namespace pgrehearse {

// What FingerprintCapture needs, without a search for an exact point. `primary` must outlive it.
inline FingerprintCapture::TakeSnapshots plain_snapshots(const Primary& primary) {
  return [&primary](const std::vector<std::string>& databases, std::stop_token stop) {
    std::vector<DatabaseSnapshot> snapshots;
    for (const auto& database : databases) {
      auto holder = std::make_shared<Connection>(primary.connect(database, stop));
      holder->query("begin isolation level repeatable read read only");
      const auto facts = holder->query("select pg_export_snapshot(), pg_current_wal_insert_lsn()");
      DatabaseSnapshot snapshot{.facts = {.database = database,
                                          .exact = true,
                                          .method = "quiet",
                                          .lsn = *parse_lsn(facts.text(0, 1)),
                                          .with_cluster = snapshots.empty()}};
      snapshot.join = [&primary, database, holder,
                       name = facts.text(0, 0)](std::stop_token joined) {
        auto connection = primary.connect(database, std::move(joined));
        connection.query("begin isolation level repeatable read read only");
        connection.query("set transaction snapshot " + ("'" + name + "'"));
        return connection;
      };
      snapshots.push_back(std::move(snapshot));
    }
    return snapshots;
  };
}

}  // namespace pgrehearse
