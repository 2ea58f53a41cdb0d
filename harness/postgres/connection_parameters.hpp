// Where and as whom to connect, in libpq's words.
#pragma once

#include <map>
#include <string>

namespace pgrehearse {

// libpq connection parameters by keyword (host, port, user, dbname, ...). Never printed: may hold a
// password.
using ConnectionParameters = std::map<std::string, std::string>;

// Parses a DSN in either of libpq's forms. Throws Error(usage) with libpq's words.
ConnectionParameters parse_dsn(const std::string& dsn);
// The same without password and other secrets, for messages and reports.
std::string describe(const ConnectionParameters& parameters);
// libpq prefers an address to a name: PGHOSTADDR, or one in the service file that PGSERVICE names,
// would lead a connection to a sandbox to another server, production for instance. Throws
// Error(environment) then.
void refuse_address_of_environment(const ConnectionParameters& parameters);

}  // namespace pgrehearse
