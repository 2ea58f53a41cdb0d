// Fetches WAL for a server that can read neither the repository nor its secrets: the server's
// restore_command writes a request to a named pipe in the sandbox, and this process answers it.
#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "harness/process/command.hpp"

namespace pgrehearse {

// One request. The copy's own code can write to the pipe as well.
struct WalRelayRequest {
  std::size_t command = 0;
  std::string client;       // process ID
  std::string file;         // a plain name
  std::string destination;  // "pg_wal/<plain name>"
};
// nullopt for everything else.
std::optional<WalRelayRequest> parse_wal_relay_request(std::string_view line);

class WalRelay {
 public:
  using Run = std::function<CommandResult(const Command& command, const std::stop_token& stop)>;

  // Makes the pipes and the script of the client in `directory`, as `account`. `data`: PGDATA.
  // `run` is called in a thread of this object. Throws Error(environment).
  WalRelay(Account account, std::filesystem::path directory, std::filesystem::path data, Run run);
  WalRelay(const WalRelay&) = delete;
  WalRelay& operator=(const WalRelay&) = delete;
  // Afterwards, clients find no WAL.
  ~WalRelay();

  // The client's command for this archive-get; takes a file's name and a destination.
  std::vector<std::string> client_of(std::vector<std::string> archive_get);

 private:
  void serve(const std::stop_token& stop);
  void answer(const WalRelayRequest& request, const std::stop_token& stop);

  Account account_;
  std::filesystem::path directory_;
  std::filesystem::path data_;
  Run run_;
  std::mutex mutex_;
  std::vector<std::vector<std::string>> commands_;
  int requests_ = -1;
  int answers_ = -1;
  std::jthread thread_;
};

}  // namespace pgrehearse
