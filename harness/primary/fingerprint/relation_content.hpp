// Counts and hashes the content of relations, on either side of a comparison: the statements are
// the same on the primary and in the copy (docs/decisions/0050).
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/postgres/connection.hpp"
#include "harness/primary/fingerprint/fingerprint.hpp"

namespace pgrehearse {

// What to read of a relation that could be read: decides by name and pages of 8 kB.
using CoverageRule = std::function<Coverage(std::string_view relation, std::int64_t pages)>;

// Every relation with rows of its own, biggest first: tables, partition leaves, materialized views,
// large objects. Those that cannot be read, or need not be, have a cause. Temporary relations and
// system schemas are left out. Sees the snapshot of the connection's transaction.
std::vector<RelationContent> list_relations(Connection& connection, const CoverageRule& rule);

// Whose statements these are.
enum class ReadingSide {
  // In a transaction on the primary's snapshot: locks are given back after each batch, and a
  // relation whose file is not the snapshot's any more is `rewritten`.
  snapshot,
  copy,
};

// Text output, conversion and planning are pinned. Once per connection, before read_contents.
void prepare_reading(Connection& connection, int parallel_workers);

// Fills rows and hash of each, or cause and error. The relations' coverage, withheld columns and
// form say what is read; coverage `none` is left alone. Throws SqlError only when the connection
// cannot be used any more.
void read_contents(Connection& connection, std::span<RelationContent> batch, ReadingSide side,
                   const Sample& sample);

// The statement for one relation: rows, hash, file node. `columns` are the readable ones of a
// relation with withheld columns, quoted; otherwise not looked at.
std::string content_sql(const RelationContent& relation, const Sample& sample,
                        std::span<const std::string> columns);

}  // namespace pgrehearse
