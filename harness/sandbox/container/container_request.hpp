// The request to create a sandbox's container, with the isolation that PostgreSQL settings cannot
// provide.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "harness/sandbox/host_directory.hpp"

namespace pgrehearse {

struct ContainerRequest {
  const HostDirectory& directory;
  const SandboxSpec& spec;
  std::string image;  // its id
  std::string owner;
  Instant expires;
  std::chrono::seconds lifetime{0};  // the container ends by itself after this time
};

// The body of POST /containers/create.
std::string container_json(const ContainerRequest& request);

// Whether the container can connect to the repository: it needs to, and the scenario allows it.
bool opens_egress(const SandboxSpec& spec);

// Files in the sandbox that are mounted over /etc/passwd, /etc/group and, with egress, /etc/hosts.
std::filesystem::path passwd_file(const SandboxPaths& paths);
std::filesystem::path group_file(const SandboxPaths& paths);
std::filesystem::path hosts_file(const SandboxPaths& paths);

}  // namespace pgrehearse
