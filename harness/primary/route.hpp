// The servers to try, one after another, to reach the primary.
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
  std::string reason;   // "the leader of Patroni's cluster 'orders'"
  std::string api_url;  // Patroni's of the member; empty: none
};

// Of a DSN: a route for each of its hosts, so that each gets the whole time to answer (libpq shares
// one deadline between all of them). `target_session_attrs` becomes the expected role: pgrehearse's
// sessions are read-only, and libpq would take any server for a read-only one.
// Throws Error(usage) when hosts and ports do not pair or the attribute is unknown.
std::vector<Route> routes_of(const ConnectionParameters& dsn, PreferredMember prefer);

}  // namespace pgrehearse
