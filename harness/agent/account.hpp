// The account that every process in the virtual machine except process 1 runs as.
#pragma once

#include <sys/types.h>

#include <vector>

namespace pgrehearse::agent {

struct AgentAccount {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

// Switches the calling process to the account for good and drops all capabilities. False when a
// step failed.
bool switch_to_account(const AgentAccount& account);

}  // namespace pgrehearse::agent
