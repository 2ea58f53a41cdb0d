// Counts and hashes the content of relations, with the same statements on the primary and in the
// copy (docs/decisions/0050).
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/postgres/connection.hpp"
#include "harness/primary/fingerprint/fingerprint.hpp"

namespace pgrehearse {

// How much of a relation to read, by name and number of 8 kB pages.
using CoverageRule = std::function<Coverage(std::string_view relation, std::int64_t pages)>;

// Every relation with rows of its own, largest first: tables, partition leaves, materialized views,
// large objects. Those that are not read have a cause. Temporary relations and system schemas are
// skipped. Uses the snapshot of the connection's transaction.
std::vector<RelationContent> list_relations(Connection& connection, const CoverageRule& rule);

// Where the statements run.
enum class ReadingSide {
  // On the primary, in a transaction on the snapshot: locks are released after each batch, and a
  // relation whose file has changed since the snapshot is `rewritten`.
  snapshot,
  copy,
};

// Fixes settings for text output, encoding and planning. Once per connection, before read_contents.
void prepare_reading(Connection& connection, int parallel_workers);

// Fills in rows and hash of each relation, or cause and error, according to its coverage and
// withheld columns; skips coverage `none`. Throws SqlError only when the connection is unusable.
void read_contents(Connection& connection, std::span<RelationContent> batch, ReadingSide side,
                   const Sample& sample);

// The statement for one relation: rows, hash, file node. `columns` are the readable ones of a
// relation with withheld columns, quoted; otherwise ignored.
std::string content_sql(const RelationContent& relation, const Sample& sample,
                        std::span<const std::string> columns);

}  // namespace pgrehearse
