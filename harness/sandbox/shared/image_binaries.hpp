// The PostgreSQL binaries in the image of a container or virtual machine.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/process/command.hpp"
#include "harness/sandbox/sandbox_spec.hpp"

namespace pgrehearse {

// Directories that may contain them, in the order in which they are searched.
std::vector<std::string> binary_directories(const SandboxSpec& spec);

// Runs "postgres -V" in each of them with `run`; nullopt if none is of the major version (if that
// is 0: of any). Throws Error(interrupted).
std::optional<std::filesystem::path> find_image_binaries(
    const SandboxSpec& spec, const std::function<CommandResult(const Command& command)>& run);

// 15 of "postgres (PostgreSQL) 15.14 (Debian ...)"; 0 if `output` is something else.
int postgres_major_in(std::string_view output);

// Error(environment, env_binaries): none of the directories contains the major version.
Error missing_binaries(const SandboxSpec& spec, const std::string& image);

}  // namespace pgrehearse
