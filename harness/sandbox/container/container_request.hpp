// What is asked of the engine for a sandbox's container: the walls of the quarantine that settings
// of PostgreSQL cannot build.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/sandbox/host_directory.hpp"

namespace pgrehearse {

// Labels of every container of ours. The registry's directory and its host say whose it is.
inline constexpr const char* label_run = "pgrehearse.run";
inline constexpr const char* label_owner = "pgrehearse.owner";
inline constexpr const char* label_scenario = "pgrehearse.scenario";
inline constexpr const char* label_expires = "pgrehearse.expires";  // ISO 8601

struct ContainerRequest {
  const HostDirectory& place;
  const SandboxSpec& spec;
  std::string image;  // its id
  std::string owner;
  Instant expires;
  std::chrono::seconds lifetime{0};  // the container ends by itself after it
};

// The body of POST /containers/create.
std::string container_json(const ContainerRequest& request);

// The places, and each file system that is mounted below one of them (`mountinfo`: the text of
// /proc/self/mountinfo); none twice, and nothing that comes with another.
std::vector<std::filesystem::path> with_mounts_below(
    const std::vector<std::filesystem::path>& places, std::string_view mountinfo);

// Files that stand in for /etc/passwd and /etc/group inside: the image cannot know this host's
// accounts. Those that connect have a name, and so has the one that runs PostgreSQL.
std::string passwd_text(const std::vector<Account>& accounts, const std::filesystem::path& home);
std::string group_text(const std::vector<Account>& accounts);

// Stands in for /etc/hosts where there is a way out (repository_relay.hpp).
std::filesystem::path hosts_file(const SandboxPaths& paths);

// The program that is process 1 and runs the commands (harness/agent), and where it listens.
std::filesystem::path agent_program(const SandboxPaths& paths);
std::filesystem::path agent_socket(const SandboxPaths& paths);

// Where they lie in the sandbox.
std::filesystem::path passwd_file(const SandboxPaths& paths);
std::filesystem::path group_file(const SandboxPaths& paths);

}  // namespace pgrehearse
