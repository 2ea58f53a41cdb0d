#include "harness/primary/patroni.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

Error unreachable(const std::string& message, const std::string& hint, FindingCode code,
                  const std::string& object) {
  return {ErrorKind::environment, message, hint, code, object};
}

std::string without_end(std::string url, std::string_view end) {
  while (url.ends_with('/')) url.pop_back();
  if (url.ends_with(end)) url.resize(url.size() - end.size());
  while (url.ends_with('/')) url.pop_back();
  return url;
}

// "https://db1" of "https://user@DB1:8008/patroni".
std::string scheme_and_host(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  auto authority = url.substr(scheme + 3);
  authority = authority.substr(0, authority.find_first_of("/?#\\"));
  authority.remove_prefix(authority.rfind('@') + 1);  // npos + 1 is 0
  const auto port = authority.rfind(':');
  const auto bracket = authority.rfind(']');
  if (port != std::string_view::npos && (bracket == std::string_view::npos || bracket < port)) {
    authority = authority.substr(0, port);
  }
  std::string text(url.substr(0, scheme + 3));
  text += authority;
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string named(const PatroniMember& member) {
  return fmt::format("{} ({}:{})", member.name, member.host, member.port);
}

Route route_to(const PatroniMember& member, const ConnectionParameters& dsn, ExpectedRole role,
               std::string reason) {
  Route route{.parameters = dsn,
              .role = role,
              .member = named(member),
              .reason = std::move(reason),
              .api_url = member.api_url};
  for (const auto* keyword : {"host", "hostaddr", "port", "target_session_attrs"}) {
    route.parameters.erase(keyword);
  }
  route.parameters["host"] = member.host;
  if (!member.port.empty()) route.parameters["port"] = member.port;
  return route;
}

std::string states_of(const PatroniCluster& cluster) {
  std::vector<std::string> states;
  for (const auto& member : cluster.members) {
    states.push_back(fmt::format("{}: {}, {}", member.name, member.role_word, member.state));
  }
  return states.empty() ? "no members" : join(states, "; ");
}

// The standbys, least lag first.
std::vector<PatroniMember> standbys_of(const PatroniCluster& cluster) {
  std::vector<PatroniMember> standbys;
  for (const auto& member : cluster.members) {
    if (member.role == PatroniRole::replica || member.role == PatroniRole::standby_leader) {
      standbys.push_back(member);
    }
  }
  std::stable_sort(standbys.begin(), standbys.end(), [](const auto& one, const auto& other) {
    if (one.lag.has_value() != other.lag.has_value()) return one.lag.has_value();
    return one.lag && *one.lag < *other.lag;
  });
  return standbys;
}

// Why this standby cannot be used; empty: it can.
std::string objection_to(const PatroniMember& standby, std::optional<Bytes> max_lag) {
  if (!standby.runs()) return fmt::format("is {}", standby.state.empty() ? "gone" : standby.state);
  if (standby.no_load_balance) return "has the tag noloadbalance";
  if (!max_lag || standby.role == PatroniRole::standby_leader) return {};
  if (!standby.lag) return "has an unknown lag";
  if (*standby.lag <= *max_lag) return {};
  return fmt::format("lags {} (max_lag {})", to_text(*standby.lag), to_text(*max_lag));
}

}  // namespace

Patroni::Patroni(PatroniSpec spec, std::unique_ptr<HttpClient> http)
    : spec_(std::move(spec)), http_(std::move(http)) {
  for (auto& url : spec_.urls) url = without_end(std::move(url), "/patroni");
}

std::string Patroni::description() const {
  return fmt::format("Patroni{} at {}",
                     spec_.cluster.empty() ? "" : fmt::format(" cluster '{}'", spec_.cluster),
                     join(spec_.urls, ", "));
}

std::string Patroni::name_of(const PatroniCluster& cluster) const {
  const auto& name = cluster.scope.empty() ? spec_.cluster : cluster.scope;
  return fmt::format("Patroni cluster{}{}", name.empty() ? "" : fmt::format(" '{}'", name),
                     cluster.paused ? " (paused: no automatic failover)" : "");
}

PatroniCluster Patroni::query_member(const std::string& url, const std::stop_token& stop) const {
  const auto answer = http_->send({.url = url + "/cluster"}, stop);
  if (answer.status == 401 || answer.status == 403) {
    throw Error(ErrorKind::environment, fmt::format("refused with HTTP status {}", answer.status));
  }
  if (answer.status != 200) {
    throw Error(ErrorKind::environment,
                fmt::format("HTTP status {}{}", answer.status,
                            answer.status >= 500
                                ? " (check that its etcd, Consul or Kubernetes API is reachable)"
                                : ""));
  }
  auto cluster = parse_patroni_cluster(answer.body);
  // Older releases return the name only here.
  if (cluster.scope.empty()) {
    cluster.scope = scope_in_status(http_->send({.url = url + "/patroni"}, stop).body);
  }
  return cluster;
}

PatroniCluster Patroni::query_any_member(const std::stop_token& stop) const {
  std::vector<std::string> failures;
  const std::size_t first = answered_last_;
  for (std::size_t i = 0; i < spec_.urls.size(); ++i) {
    const auto index = (first + i) % spec_.urls.size();
    const auto& url = spec_.urls[index];
    try {
      auto cluster = query_member(url, stop);
      answered_last_ = index;
      if (!spec_.cluster.empty() && !cluster.scope.empty() && cluster.scope != spec_.cluster) {
        throw unreachable(
            fmt::format("{} belongs to Patroni cluster '{}', the scenario expects '{}'", url,
                        cluster.scope, spec_.cluster),
            "fix patroni.urls or patroni.cluster", FindingCode::primary_cluster, cluster.scope);
      }
      return cluster;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted || error.code() == FindingCode::primary_cluster)
        throw;
      failures.push_back(fmt::format("{}: {}", url, error.what()));
    }
  }
  throw unreachable(
      fmt::format("no member of the Patroni cluster responds: {}", join(failures, "; ")),
      "check patroni.urls, ca, certificate, username and the firewall; try "
      "`curl <url>/cluster` from this host",
      FindingCode::primary_no_member, join(spec_.urls, ", "));
}

bool Patroni::is_named(const std::string& url) const {
  return std::any_of(spec_.urls.begin(), spec_.urls.end(), [&](const auto& named) {
    return scheme_and_host(named) == scheme_and_host(url);
  });
}

std::string Patroni::objection(const PatroniMember& member, const std::string& path,
                               const std::stop_token& stop) const {
  if (member.api_url.empty()) return {};
  try {
    const auto url = without_end(member.api_url, "/patroni");
    const auto answer = http_->send({.url = url + path, .with_credentials = is_named(url)}, stop);
    return answer.status == 503 ? role_in_status(answer.body) : std::string();
  } catch (const Error& error) {
    // The member's REST API may be inaccessible; the role is checked on the server anyway.
    if (error.kind() == ErrorKind::interrupted) throw;
    return {};
  }
}

Route Patroni::leader_route(const PatroniCluster& cluster, const ConnectionParameters& dsn,
                            const std::stop_token& stop) const {
  const auto* leader = cluster.leader();
  if (leader == nullptr && cluster.paused) {
    throw unreachable(fmt::format("{} has no leader: {}", name_of(cluster), states_of(cluster)),
                      "run `patronictl resume` to allow an election, or `patronictl failover`",
                      FindingCode::primary_paused, cluster.scope);
  }
  if (leader == nullptr || leader->host.empty()) {
    throw unreachable(
        fmt::format("{} has no leader: {}", name_of(cluster), states_of(cluster)),
        "check the members with `patronictl list`; run the drill again after the failover",
        FindingCode::primary_no_leader, cluster.scope);
  }
  if (leader->role == PatroniRole::standby_leader) {
    throw unreachable(
        fmt::format("{} is a standby cluster: its leader {} replicates from another cluster",
                    name_of(cluster), named(*leader)),
        "set patroni.urls to the cluster that it replicates from, or set prefer: standby",
        FindingCode::primary_standby_cluster, leader->name);
  }
  if (const auto says = objection(*leader, "/primary", stop); !says.empty()) {
    throw unreachable(fmt::format("{} reports {} as its leader, but {} reports: {}",
                                  name_of(cluster), named(*leader), leader->name, says),
                      "a failover is in progress, or the member has lost contact with etcd: check "
                      "with `patronictl list`",
                      FindingCode::primary_role, leader->name);
  }
  return route_to(*leader, dsn, ExpectedRole::primary,
                  fmt::format("the leader of {}", name_of(cluster)));
}

std::vector<Route> Patroni::standby_routes(const PatroniCluster& cluster,
                                           const ConnectionParameters& dsn,
                                           std::optional<Bytes> max_lag, std::string& refused,
                                           const std::stop_token& stop) const {
  std::vector<Route> routes;
  std::vector<std::string> objections;
  const auto path =
      max_lag ? fmt::format("/replica?lag={}", max_lag->count) : std::string("/replica");
  for (const auto& standby : standbys_of(cluster)) {
    auto problem = objection_to(standby, max_lag);
    if (problem.empty() && standby.role == PatroniRole::replica) {
      const auto says = objection(standby, path, stop);
      if (!says.empty()) problem = "reports " + says;
    }
    if (!problem.empty()) {
      objections.push_back(fmt::format("{} {}", standby.name, problem));
      continue;
    }
    const auto lag = standby.lag ? "lag " + to_text(*standby.lag) : std::string("lag unknown");
    routes.push_back(route_to(standby, dsn, ExpectedRole::standby,
                              fmt::format("a standby of {}, {}", name_of(cluster), lag)));
  }
  refused = objections.empty() ? "" : join(objections, "; ");
  return routes;
}

std::vector<Route> Patroni::routes(const ConnectionParameters& dsn,
                                   const MemberPreference& preference,
                                   const std::stop_token& stop) const {
  const auto cluster = query_any_member(stop);
  if (preference.prefer != PreferredMember::standby) return {leader_route(cluster, dsn, stop)};
  std::string refused;
  auto routes = standby_routes(cluster, dsn, preference.max_lag, refused, stop);
  const auto* leader = cluster.leader();
  if (!routes.empty() && (leader == nullptr || leader->role != PatroniRole::leader)) return routes;
  // With usable standbys, a problem with the leader does not matter.
  try {
    auto last = leader_route(cluster, dsn, stop);
    last.reason += fmt::format(", no usable standby{}", refused.empty() ? "" : ": " + refused);
    routes.push_back(std::move(last));
  } catch (const Error& error) {
    if (routes.empty() || error.kind() == ErrorKind::interrupted) throw;
  }
  return routes;
}

}  // namespace pgrehearse
