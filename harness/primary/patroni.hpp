// Finds the leader through Patroni's REST API, at each call: leaders change during a drill.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/http/http_client.hpp"
#include "harness/primary/patroni_cluster.hpp"
#include "harness/primary/primary_spec.hpp"
#include "harness/primary/route.hpp"

namespace pgrehearse {

// Which members to prefer.
struct MemberPreference {
  PreferredMember prefer = PreferredMember::any;
  std::optional<Bytes> max_lag;
};

class Patroni {
 public:
  Patroni(PatroniSpec spec, std::unique_ptr<HttpClient> http);

  // The members to try; `dsn` has all but host and port. Throws Error(environment) with the codes
  // primary_no_member, _no_leader, _paused, _role, _standby_cluster and _cluster.
  [[nodiscard]] std::vector<Route> routes(const ConnectionParameters& dsn,
                                          const MemberPreference& preference,
                                          const std::stop_token& stop) const;
  // "Patroni cluster 'orders' at https://db1:8008, https://db2:8008"
  [[nodiscard]] std::string description() const;

 private:
  [[nodiscard]] PatroniCluster query_any_member(const std::stop_token& stop) const;
  [[nodiscard]] PatroniCluster query_member(const std::string& url,
                                            const std::stop_token& stop) const;
  // Whether the scenario names the host of this address, with the same scheme.
  [[nodiscard]] bool is_named(const std::string& url) const;
  // The role and state that the member reports when its check `path` fails; empty: it succeeds, or
  // there is no answer.
  [[nodiscard]] std::string objection(const PatroniMember& member, const std::string& path,
                                      const std::stop_token& stop) const;
  [[nodiscard]] Route leader_route(const PatroniCluster& cluster, const ConnectionParameters& dsn,
                                   const std::stop_token& stop) const;
  [[nodiscard]] std::vector<Route> standby_routes(const PatroniCluster& cluster,
                                                  const ConnectionParameters& dsn,
                                                  std::optional<Bytes> max_lag,
                                                  std::string& refused,
                                                  const std::stop_token& stop) const;
  [[nodiscard]] std::string name_of(const PatroniCluster& cluster) const;

  PatroniSpec spec_;
  std::unique_ptr<HttpClient> http_;
  mutable std::atomic<std::size_t> answered_last_ = 0;  // index of the url to try first
};

}  // namespace pgrehearse
