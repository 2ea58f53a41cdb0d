// File access as another account. Files of a sandbox belong to the account that runs the restored
// copy, which could put a symbolic link where root is about to write: so root goes there as it.
#pragma once

#include <vector>

#include "harness/process/command.hpp"

namespace pgrehearse {

// While it lives, the calling thread opens, makes and removes files as `account`; new ones belong
// to it. Does nothing unless this process is root and the account is another. Throws
// Error(environment).
class ActingAccount {
 public:
  explicit ActingAccount(const Account& account);
  ActingAccount(const ActingAccount&) = delete;
  ActingAccount& operator=(const ActingAccount&) = delete;
  ~ActingAccount();

 private:
  bool acting_ = false;
  std::vector<gid_t> own_groups_;
};

}  // namespace pgrehearse
