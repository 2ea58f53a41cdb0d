// Small files in <state>/serve, which only this account can read and change.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace pgrehearse {

// nullopt: there is none, or it is not a file of this account.
std::optional<std::string> read_state_file(const std::filesystem::path& file);

// Replaces the file atomically and creates its directory. Throws Error(environment, env_state).
void write_state_file(const std::filesystem::path& file, const std::string& text);

}  // namespace pgrehearse
