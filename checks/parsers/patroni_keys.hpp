// What a Patroni cluster has stored in etcd, as data.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace pgrehearse {

struct PatroniKeys {
  struct Member {
    std::string role;   // "master" or "primary", "replica", "uninitialized"
    std::string state;  // "running", "streaming", "starting", "stopped", ...
    // Its PostgreSQL accepts queries.
    [[nodiscard]] bool runs() const { return state == "running" || state == "streaming"; }
    [[nodiscard]] bool leads() const { return role == "master" || role == "primary"; }
  };
  std::string leader;             // the member that holds the leader key; empty: none
  std::string system_identifier;  // of the cluster, once it is bootstrapped; empty before
  std::map<std::string, Member> members;
};

// The answer of etcd's JSON gateway to POST /v3/kv/range. Throws Error(environment) when it is not
// one.
PatroniKeys parse_patroni_keys(std::string_view body);

// The request for all keys that begin with `prefix`, which is not empty.
std::string keys_below(std::string_view prefix);

}  // namespace pgrehearse
