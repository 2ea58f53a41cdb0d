// The scenario's word for the production server: how it is found, and which of its members is
// asked.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/http/http_credentials.hpp"

namespace pgrehearse {

enum class PreferredMember {
  any,      // without Patroni: whatever the DSN leads to; with it: the primary
  primary,  // only the one that writes
  standby,  // to spare the primary; the primary where no standby will do
};

struct PatroniSpec {
  std::vector<std::string> urls;  // of the REST API: "https://db1:8008"
  std::string cluster;            // its name (scope); empty: not compared
  HttpCredentials credentials;
};

struct PrimarySpec {
  // libpq's connection string; may hold a password. With Patroni without host and port.
  std::string dsn;
  std::optional<PatroniSpec> patroni;
  PreferredMember prefer = PreferredMember::any;
  std::optional<Bytes> max_lag;  // of a standby, as Patroni measures it
  // How long a failover may leave us without a server; absent: a minute with Patroni and where the
  // DSN asks for the primary (target_session_attrs), otherwise no time.
  std::optional<std::chrono::milliseconds> failover_timeout;
};

}  // namespace pgrehearse
