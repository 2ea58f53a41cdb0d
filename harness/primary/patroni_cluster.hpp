// What Patroni says of its cluster (GET /cluster), in the words of any of its releases.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/common/units.hpp"

namespace pgrehearse {

enum class PatroniRole {
  leader,          // "leader"; "primary" and "master" in other releases
  standby_leader,  // leads a cluster that follows another one: it is in recovery
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
  std::string api_url;       // "http://10.0.0.1:8008/patroni"; empty when not told
  std::optional<Bytes> lag;  // absent: unknown, or the leader
  bool no_load_balance = false;
  // Its PostgreSQL serves queries.
  [[nodiscard]] bool runs() const;
};

struct PatroniCluster {
  std::string scope;  // empty where the release does not tell it here
  bool paused = false;
  std::vector<PatroniMember> members;
  // The one that leads, of either kind; nullptr without one.
  [[nodiscard]] const PatroniMember* leader() const;
};

// Throws Error(environment) when it is not the answer of a Patroni.
PatroniCluster parse_patroni_cluster(std::string_view body);

// The cluster's name in the answer to GET /patroni; empty when it is not there.
std::string scope_in_status(std::string_view body);
// "replica, running": what a member says of itself there.
std::string role_in_status(std::string_view body);

}  // namespace pgrehearse
