// Sessions in which code of the restored data runs: users' queries, index expressions.
#pragma once

#include <string>

#include "checks/parsers/server_configuration.hpp"
#include "harness/drill/check_context.hpp"

namespace pgrehearse {

// The restored postgresql.conf with its includes, and postgresql.auto.conf.
ServerConfiguration restored_configuration(const InstanceContext& context);

// As `role`, or as a login that may read everything if `role` is empty; "superuser" for the
// superuser. With the search_path, the formats and the custom variables that a session has on the
// primary, from the database's settings and the restored configuration files. Throws SqlError.
Connection open_user_session(const InstanceContext& context, const std::string& database,
                             const std::string& role);

// The search_path of a session on the primary, as SET takes it. `connection` is to the database.
std::string configured_search_path(const InstanceContext& context, Connection& connection);

}  // namespace pgrehearse
