// A certificate authority for the servers of a test, with a server and a client certificate.
#pragma once

#include <filesystem>

#include "harness/laboratory/laboratory.hpp"
#include "harness/process/command_runner.hpp"

namespace pgrehearse {

// Runs a command as the laboratory's account. Throws with its error output when it fails.
void run_for(const Laboratory& laboratory, CommandRunner& runner, const std::string& program,
             std::vector<std::string> arguments);

// Writes ca.crt, server.crt, server.key (for localhost), client.crt and client.key (of pgclient)
// into `directory`, which exists. `days`: how long the two certificates are valid; -1: they expired
// a day ago.
void make_certificates(const Laboratory& laboratory, CommandRunner& runner,
                       const std::filesystem::path& directory, int days = 2);

}  // namespace pgrehearse
