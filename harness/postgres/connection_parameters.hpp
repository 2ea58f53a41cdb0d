// libpq connection parameters.
#pragma once

#include <map>
#include <string>

namespace pgrehearse {

// By keyword (host, port, user, dbname, ...). Never print them: they may contain a password.
using ConnectionParameters = std::map<std::string, std::string>;

// Parses a DSN in either of libpq's formats. Throws Error(usage) with libpq's message.
ConnectionParameters parse_dsn(const std::string& dsn);
// The same without password and other secrets, for messages and reports.
std::string describe(const ConnectionParameters& parameters);
// Throws Error(environment) if PGHOSTADDR, or the service file named by PGSERVICE, sets an address:
// libpq prefers it to the host, so a connection to a sandbox could reach another server, even
// production.
void refuse_address_of_environment(const ConnectionParameters& parameters);

}  // namespace pgrehearse
