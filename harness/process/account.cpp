#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <array>

#include "harness/common/error.hpp"
#include "harness/process/command.hpp"

namespace pgrehearse {

namespace {

Account account_of(const passwd& entry) {
  Account account{
      .name = entry.pw_name, .uid = entry.pw_uid, .gid = entry.pw_gid, .home = entry.pw_dir};
  int count = 64;
  account.groups.resize(static_cast<std::size_t>(count));
  if (getgrouplist(entry.pw_name, entry.pw_gid, account.groups.data(), &count) < 0) {
    account.groups.resize(static_cast<std::size_t>(count));
    getgrouplist(entry.pw_name, entry.pw_gid, account.groups.data(), &count);
  }
  account.groups.resize(static_cast<std::size_t>(count));
  return account;
}

}  // namespace

Account find_account(const std::string& name) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16384> buffer{};
  getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) {
    throw Error(ErrorKind::environment, "operating system account '" + name + "' does not exist",
                "set sandbox.run_as to an existing account", FindingCode::env_account, name);
  }
  return account_of(entry);
}

std::optional<Account> find_account(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16384> buffer{};
  getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) return {};
  return account_of(entry);
}

std::optional<gid_t> find_group(const std::string& name) {
  group entry{};
  group* found = nullptr;
  std::vector<char> buffer(std::size_t{1} << 20U);
  getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) return {};
  return entry.gr_gid;
}

Account current_account() {
  if (auto account = find_account(geteuid())) return *account;
  return {.name = std::to_string(geteuid()),
          .uid = geteuid(),
          .gid = getegid(),
          .groups = {getegid()},
          .home = "/"};
}

}  // namespace pgrehearse
