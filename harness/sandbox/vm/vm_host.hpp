// What of this host a virtual machine needs: its programs, and whether it may use the processor's
// own help, as far as that can be told without booting one.
#pragma once

#include <string>

#include "harness/process/command.hpp"

namespace pgrehearse {

// Why `account` cannot use KVM; empty when nothing speaks against it but a boot that fails.
std::string kvm_obstacle(const Account& account, const char* device = "/dev/kvm");

// The account with the group that may use KVM, where this process may give it that.
Account with_kvm_group(Account account, const char* device = "/dev/kvm");

// PATH, with the places of programs for administrators that a person's may lack.
std::string path_for_host_programs();

}  // namespace pgrehearse
