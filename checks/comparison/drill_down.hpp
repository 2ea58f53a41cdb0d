// Which rows of a relation differ between the primary's snapshot and the copy. Both are the same
// blocks, so ranges of blocks are hashed on both sides and halved where they differ, down to a few
// blocks, whose rows are then compared by key.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/postgres/connection.hpp"
#include "harness/primary/fingerprint/fingerprint.hpp"
#include "harness/report/report.hpp"

namespace pgrehearse {

struct DifferingKeys {
  std::string columns;  // "id" or "order_id, line"; "ctid" where the relation has no key
  std::vector<std::string> missing;
  std::vector<std::string> extra;
  std::vector<std::string> changed;
  std::uint64_t first_block = 0;  // the range that holds all of them
  std::uint64_t last_block = 0;
  bool all = true;  // false: there are more
};

// `primary` is in a transaction on the snapshot. Reads the relation once on each side, then only
// what differs. Throws SqlError.
DifferingKeys find_differing_keys(Connection& primary, Connection& copy,
                                  const RelationContent& relation, const Sample& sample,
                                  std::size_t most_keys);

// Into the finding's message and details.
void describe_keys(const DifferingKeys& keys, Finding& finding);

}  // namespace pgrehearse
