// The servers to try, in order, to reach the primary.
#pragma once

#include <string>
#include <vector>

#include "harness/postgres/connection.hpp"
#include "harness/primary/primary_spec.hpp"

namespace pgrehearse {

enum class ExpectedRole { any, primary, standby };

struct Route {
  ConnectionParameters parameters;  // of one host
  ExpectedRole role = ExpectedRole::any;
  std::string member;   // "n2 (10.0.0.2:5432)"
  std::string reason;   // "the leader of Patroni cluster 'orders'"
  std::string api_url;  // the member's Patroni REST API; empty: none
};

// One route per host of a DSN, each with the full connect timeout (libpq shares one timeout between
// all hosts). `target_session_attrs` becomes the expected role: pgrehearse's sessions are
// read-only, so libpq would consider every server read-only. Throws Error(usage) when the numbers
// of hosts and ports differ or the attribute is unknown.
std::vector<Route> routes_of(const ConnectionParameters& dsn, PreferredMember prefer);

}  // namespace pgrehearse
