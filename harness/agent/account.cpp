#include "harness/agent/account.hpp"

#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>

namespace pgrehearse::agent {

bool switch_to_account(const AgentAccount& account) {
  // The kernel answers EINVAL after its last capability.
  constexpr int most = 64;
  for (int capability = 0; capability < most; ++capability) {
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
    if (errno != EINVAL || capability == 0) return false;
    break;
  }
  return account.uid != 0 && setgroups(account.groups.size(), account.groups.data()) == 0 &&
         setresgid(account.gid, account.gid, account.gid) == 0 &&
         setresuid(account.uid, account.uid, account.uid) == 0 &&
         prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

}  // namespace pgrehearse::agent
