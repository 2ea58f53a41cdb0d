#include "harness/process/acting_account.hpp"

#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/common/error.hpp"

namespace pgrehearse {

namespace {

// The C library's setgroups() changes all threads, the system call only the calling one.
bool set_groups_of_thread(const std::vector<gid_t>& groups) {
  return syscall(SYS_setgroups, groups.size(), groups.data()) == 0;
}

}  // namespace

ActingAccount::ActingAccount(const Account& account) {
  if (geteuid() != 0 || account.uid == 0) return;
  const int count = getgroups(0, nullptr);
  own_groups_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  getgroups(static_cast<int>(own_groups_.size()), own_groups_.data());
  if (!set_groups_of_thread(account.groups)) {
    throw Error(ErrorKind::environment, "cannot switch to account '" + account.name + "'",
                "run pgrehearse as that account, or as root with CAP_SETUID and CAP_SETGID");
  }
  acting_ = true;
  setfsgid(account.gid);
  setfsuid(account.uid);
}

ActingAccount::~ActingAccount() {
  if (!acting_) return;
  setfsuid(geteuid());
  setfsgid(getegid());
  set_groups_of_thread(own_groups_);
}

}  // namespace pgrehearse
