// The scenario's section `primary`: how the production server is found, and which member is read.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/http/http_credentials.hpp"

namespace pgrehearse {

enum class PreferredMember {
  any,      // with Patroni: the primary; without: any server of the DSN
  primary,  // only the primary
  standby,  // to reduce load on the primary; the primary if no standby is usable
};

struct PatroniSpec {
  std::vector<std::string> urls;  // of the REST API: "https://db1:8008"
  std::string cluster;            // its name (scope); empty: not checked
  HttpCredentials credentials;
};

struct PrimarySpec {
  // libpq connection string; may contain a password. With Patroni: without host and port.
  std::string dsn;
  std::optional<PatroniSpec> patroni;
  PreferredMember prefer = PreferredMember::any;
  std::optional<Bytes> max_lag;  // of a standby, as Patroni measures it
  // How long to wait for a new server in a failover; absent: one minute with Patroni or if the DSN
  // requires the primary (target_session_attrs), otherwise no wait.
  std::optional<std::chrono::milliseconds> failover_timeout;
};

}  // namespace pgrehearse
