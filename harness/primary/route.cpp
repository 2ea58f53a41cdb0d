#include "harness/primary/route.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

std::string value_of(const ConnectionParameters& parameters, const std::string& keyword) {
  const auto found = parameters.find(keyword);
  return found == parameters.end() ? std::string() : found->second;
}

std::vector<std::string> list_of(const ConnectionParameters& parameters,
                                 const std::string& keyword) {
  std::vector<std::string> values;
  const auto text = value_of(parameters, keyword);
  if (text.empty()) return values;
  for (const auto value : split(text, ',')) values.emplace_back(trim(value));
  return values;
}

// A single value applies to all hosts.
std::string pick(const std::vector<std::string>& values, std::size_t index) {
  if (values.empty()) return {};
  return values.size() == 1 ? values[0] : values[index];
}

enum class Wanted { any, primary, standby, prefer_standby };

Wanted wanted_of(const ConnectionParameters& dsn, PreferredMember prefer) {
  if (prefer == PreferredMember::primary) return Wanted::primary;
  if (prefer == PreferredMember::standby) return Wanted::prefer_standby;
  auto attribute = value_of(dsn, "target_session_attrs");
  if (const char* set = std::getenv("PGTARGETSESSIONATTRS"); attribute.empty() && set != nullptr) {
    attribute = set;
  }
  if (attribute.empty() || attribute == "any") return Wanted::any;
  if (attribute == "read-write" || attribute == "primary") return Wanted::primary;
  if (attribute == "read-only" || attribute == "standby") return Wanted::standby;
  if (attribute == "prefer-standby") return Wanted::prefer_standby;
  throw Error(ErrorKind::usage,
              fmt::format("invalid target_session_attrs (PGTARGETSESSIONATTRS) '{}'", attribute),
              "use any, read-write, read-only, primary, standby or prefer-standby");
}

void set_or_erase(ConnectionParameters& parameters, const std::string& keyword,
                  const std::string& value) {
  if (value.empty()) {
    parameters.erase(keyword);
  } else {
    parameters[keyword] = value;
  }
}

}  // namespace

std::vector<Route> routes_of(const ConnectionParameters& dsn, PreferredMember prefer) {
  const auto wanted = wanted_of(dsn, prefer);
  const auto hosts = list_of(dsn, "host");
  const auto addresses = list_of(dsn, "hostaddr");
  const auto ports = list_of(dsn, "port");
  const auto count = std::max<std::size_t>({hosts.size(), addresses.size(), 1});
  const auto pairs = [count](const auto& values, std::size_t least) {
    return values.size() <= least || values.size() == count;
  };
  if (!pairs(hosts, 0) || !pairs(addresses, 0) || !pairs(ports, 1)) {
    throw Error(ErrorKind::usage,
                fmt::format("the dsn has {} hosts, {} addresses and {} ports", hosts.size(),
                            addresses.size(), ports.size()),
                "give one port for all hosts, or one per host");
  }
  std::vector<Route> routes;
  const auto add = [&](ExpectedRole role, const std::string& reason) {
    for (std::size_t index = 0; index < count; ++index) {
      Route route{.parameters = dsn, .role = role, .reason = reason};
      route.parameters.erase("target_session_attrs");
      const auto host = pick(hosts, index);
      const auto address = pick(addresses, index);
      const auto port = pick(ports, index);
      set_or_erase(route.parameters, "host", host);
      set_or_erase(route.parameters, "hostaddr", address);
      set_or_erase(route.parameters, "port", port);
      route.member =
          fmt::format("{}:{}", host.empty() ? address.empty() ? "localhost" : address : host,
                      port.empty() ? "5432" : port);
      routes.push_back(std::move(route));
    }
  };
  const std::string several = count > 1 ? fmt::format(" of {} hosts in the dsn", count) : "";
  switch (wanted) {
    case Wanted::any:
      add(ExpectedRole::any, count > 1 ? "the first to respond" + several : "named by the dsn");
      break;
    case Wanted::primary:
      add(ExpectedRole::primary, "the primary" + several);
      break;
    case Wanted::standby:
      add(ExpectedRole::standby, "a standby" + several);
      break;
    case Wanted::prefer_standby:
      add(ExpectedRole::standby, "a standby" + several);
      add(ExpectedRole::any, "no usable standby" + several);
      break;
  }
  return routes;
}

}  // namespace pgrehearse
