// Whom everything in the machine but its first process runs as.
#pragma once

#include <sys/types.h>

#include <vector>

namespace pgrehearse::guest {

struct AgentAccount {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

// The calling process becomes the account for ever: no capability, no way to win one back. False
// when a step failed.
bool become(const AgentAccount& account);

}  // namespace pgrehearse::guest
