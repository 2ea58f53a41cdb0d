// The configuration of the restored instance: a copy of production must not act like production.
// Generates text only; sandbox/instance writes the files and starts the server.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/common/units.hpp"
#include "harness/postgres/control_data.hpp"

namespace pgrehearse {

struct QuarantineInput {
  int major = 0;  // PostgreSQL's major version, 12 or newer
  std::filesystem::path data;
  std::filesystem::path configuration;  // directory of the generated files
  std::filesystem::path sockets;
  std::filesystem::path temporary;
  int port = 5432;
  std::string superuser;
  // Operating system accounts that may connect, as superuser and as the logins for queries.
  std::vector<std::string> accounts;
  std::vector<std::string> logins;
  ControlData control;  // minimum values for recovery
  Bytes memory;         // of the sandbox
  int cpus = 1;
  std::vector<std::string> preload_libraries;  // shared_preload_libraries; normally none
  std::string restore_command;
  // recovery_target_* settings by name, without action; empty for standby mode.
  std::map<std::string, std::string> recovery;
};

struct Quarantine {
  std::string postgresql_conf;
  std::string hba;
  std::string ident;
  // Settings that restored files must not override: passed as -c name=value.
  std::map<std::string, std::string> command_line;
};

Quarantine make_quarantine(const QuarantineInput& input);

}  // namespace pgrehearse
