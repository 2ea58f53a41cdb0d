// Content of /etc/passwd and /etc/group inside: images do not know the accounts of this host.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/process/command.hpp"

namespace pgrehearse {

// One line per name; of two accounts with the same name the first.
std::string passwd_text(const std::vector<Account>& accounts, const std::filesystem::path& home);
std::string group_text(const std::vector<Account>& accounts);

}  // namespace pgrehearse
