// Settings of pgrehearse's sessions. Sent in the startup packet, so that they override what ALTER
// ROLE, ALTER DATABASE and configuration files set.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgrehearse {

// For pgrehearse's own statements on any server: text formats, search_path, isolation level. As
// libpq `options`.
std::string statement_options();

// For superuser sessions in the copy, pg_amcheck's included. `major` is PostgreSQL's version.
std::string copy_session_options(int major);

// For sessions of the logins below: timeouts, isolation level and read-only transactions.
std::string query_session_options(int major);
// What such a session needs and only a superuser may set, by name: for ALTER ROLE ... SET.
std::vector<std::pair<std::string_view, std::string_view>> restricted_query_settings();

// Logins without special rights for statements of users in one drill's copy. The restored cluster
// has no roles of these names. One may read everything, the other is a member of chosen roles.
std::string reading_login(std::string_view run_id);
std::string role_login(std::string_view run_id);

// A value for `-c name=value` in libpq `options`.
std::string escaped_option(std::string_view value);

}  // namespace pgrehearse
