#include "harness/sandbox/shared/account_files.hpp"

#include <fmt/format.h>

#include <set>

namespace pgrehearse {

std::string passwd_text(const std::vector<Account>& accounts, const std::filesystem::path& home) {
  std::string text;
  std::set<std::string> written;
  for (const auto& account : accounts) {
    if (!written.insert(account.name).second) continue;
    text += fmt::format("{}:x:{}:{}::{}:/bin/sh\n", account.name, account.uid, account.gid,
                        home.string());
  }
  return text;
}

std::string group_text(const std::vector<Account>& accounts) {
  std::string text;
  std::set<std::string> written;
  for (const auto& account : accounts) {
    if (!written.insert(account.name).second) continue;
    text += fmt::format("{}:x:{}:\n", account.name, account.gid);
  }
  return text;
}

}  // namespace pgrehearse
