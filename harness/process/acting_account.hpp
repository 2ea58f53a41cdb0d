// File access as another account. Root accesses the files of a sandbox as the account that owns
// them: that account could replace a file with a symbolic link to one that only root may write.
#pragma once

#include <vector>

#include "harness/process/command.hpp"

namespace pgrehearse {

// During its lifetime the calling thread opens, creates and removes files as `account`; new files
// belong to it. No effect unless this process is root and the account is not. Throws
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
