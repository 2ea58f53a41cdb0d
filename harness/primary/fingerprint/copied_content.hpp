// The content of a relation, read with COPY and hashed here: equal to what content_sql() computes
// on the server, without planning a statement (user_code.hpp).
#pragma once

#include <cstdint>
#include <string_view>

#include "harness/postgres/connection.hpp"
#include "harness/primary/fingerprint/fingerprint.hpp"

namespace pgrehearse {

// PostgreSQL's hash_bytes_extended() with seed 0, on a little-endian server.
std::uint64_t hash_bytes(std::string_view bytes);

// Fills in rows and hash, or cause and error. A sample, a relation hashed as text, generated
// columns and materialized views cannot be read: Uncovered::permission.
void read_by_copy(Connection& connection, RelationContent& relation);

}  // namespace pgrehearse
