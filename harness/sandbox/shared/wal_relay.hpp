// Answers the WAL requests of a server whose files are on this host.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "harness/process/command.hpp"
#include "harness/sandbox/shared/wal_requests.hpp"

namespace pgrehearse {

class WalRelay {
 public:
  // Makes the pipes and the script of the client in `directory`, as `account`. `run` is called in a
  // thread of this object. Throws Error(environment).
  WalRelay(Account account, const std::filesystem::path& directory, WalRequests::Run run);
  WalRelay(const WalRelay&) = delete;
  WalRelay& operator=(const WalRelay&) = delete;
  // Afterwards, clients find no WAL.
  ~WalRelay();

  // The client's command; takes a file's name and a destination.
  std::vector<std::string> client_of(WalRelayCommand command) {
    return received_.client_of(std::move(command), files_.script);
  }

 private:
  void serve(const std::stop_token& stop);
  void answer(const std::string& text) const;

  Account account_;
  WalRelayFiles files_;
  WalRequests received_;
  int requests_ = -1;
  int answers_ = -1;
  std::jthread thread_;
};

}  // namespace pgrehearse
