// The state of a cluster as Patroni reports it (GET /cluster), for all of its releases.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/common/units.hpp"

namespace pgrehearse {

enum class PatroniRole {
  leader,          // "leader"; "primary" and "master" in other releases
  standby_leader,  // leader of a cluster that replicates from another one: in recovery
  replica,         // "replica", "sync_standby", "quorum_standby"
  other,
};

struct PatroniMember {
  std::string name;
  PatroniRole role = PatroniRole::other;
  std::string role_word;  // as Patroni wrote it
  std::string state;      // "running", "streaming", "stopped", "start failed", ...
  std::string host;       // empty while the member has no PostgreSQL
  std::string port;
  std::string api_url;       // "http://10.0.0.1:8008/patroni"; empty: not reported
  std::optional<Bytes> lag;  // absent: unknown, or the leader
  bool no_load_balance = false;
  // Its PostgreSQL serves queries.
  [[nodiscard]] bool runs() const;
};

struct PatroniCluster {
  std::string scope;  // empty: not reported by this release
  bool paused = false;
  std::vector<PatroniMember> members;
  // The leader or standby leader; nullptr without one.
  [[nodiscard]] const PatroniMember* leader() const;
};

// Throws Error(environment) when it is not a response of Patroni.
PatroniCluster parse_patroni_cluster(std::string_view body);

// The cluster's name in the response to GET /patroni; empty: none.
std::string scope_in_status(std::string_view body);
// "replica, running": the member's role and state in the same response.
std::string role_in_status(std::string_view body);

}  // namespace pgrehearse
