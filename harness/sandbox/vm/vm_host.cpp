#include "harness/sandbox/vm/vm_host.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace pgrehearse {

namespace {

constexpr unsigned read_and_write = 06;
constexpr unsigned for_group = 3;
constexpr unsigned for_owner = 6;

bool in_group(const Account& account, gid_t group) {
  return account.gid == group ||
         std::find(account.groups.begin(), account.groups.end(), group) != account.groups.end();
}

}  // namespace

std::string kvm_obstacle(const Account& account, const char* device) {
  struct stat status {};
  if (stat(device, &status) != 0) return fmt::format("{} does not exist", device);
  if (account.uid == geteuid()) {
    if (access(device, R_OK | W_OK) == 0) return {};
  } else {
    const auto user = with_kvm_group(account, device);
    unsigned granted = status.st_mode;
    if (user.uid == status.st_uid) {
      granted >>= for_owner;
    } else if (in_group(user, status.st_gid)) {
      granted >>= for_group;
    }
    if ((granted & read_and_write) == read_and_write) return {};
  }
  return fmt::format("account '{}' has no permission to use {}", account.name, device);
}

std::string path_for_host_programs() {
  const char* path = std::getenv("PATH");
  return fmt::format("{}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                     path == nullptr ? "" : path);
}

Account with_kvm_group(Account account, const char* device) {
  struct stat status {};
  const bool open_to_group = stat(device, &status) == 0 && status.st_gid != 0 &&
                             ((status.st_mode >> for_group) & read_and_write) == read_and_write;
  if (open_to_group && geteuid() == 0 && !in_group(account, status.st_gid)) {
    account.groups.push_back(status.st_gid);
  }
  return account;
}

}  // namespace pgrehearse
