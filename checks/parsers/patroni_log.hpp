// What the log of a Patroni member says about its bootstrap; PostgreSQL logs into it as well.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

struct PatroniLog {
  bool began_bootstrap = false;     // Patroni tried to bootstrap the cluster
  bool failed_bootstrap = false;    // and gave up
  int failed_clones = 0;            // times that no method created the replica
  std::vector<std::string> errors;  // of Patroni, PostgreSQL and pg_basebackup, oldest first
};

PatroniLog parse_patroni_log(std::string_view text);

}  // namespace pgrehearse
