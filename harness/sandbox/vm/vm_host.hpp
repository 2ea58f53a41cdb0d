// What a virtual machine needs from this host: programs, and access to KVM as far as it can be
// checked without booting.
#pragma once

#include <string>

#include "harness/process/command.hpp"

namespace pgrehearse {

// Why `account` cannot use KVM; empty: no reason found, but booting may still fail.
std::string kvm_obstacle(const Account& account, const char* device = "/dev/kvm");

// The account with the group that may use KVM added, if this process may do so.
Account with_kvm_group(Account account, const char* device = "/dev/kvm");

// PATH and the directories of system programs, which the PATH of a user may lack.
std::string path_for_host_programs();

}  // namespace pgrehearse
