// A server that can read neither the repository nor its secrets asks this process for WAL: its
// restore_command writes a request to a named pipe in the sandbox, and reads the answer from
// another.
#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "harness/process/command.hpp"

namespace pgrehearse {

struct WalRelayFiles {
  std::filesystem::path requests;  // named pipe
  std::filesystem::path answers;   // named pipe
  std::filesystem::path script;
};
WalRelayFiles wal_relay_files(const std::filesystem::path& directory);

// The content of the script, which the server runs.
std::string wal_client_script(const WalRelayFiles& files);

// One request. The copy's own code can write to the pipe as well.
struct WalRelayRequest {
  std::size_t command = 0;
  std::string client;       // process ID
  std::string file;         // a plain name
  std::string destination;  // "pg_wal/<plain name>"
};
// nullopt for everything else.
std::optional<WalRelayRequest> parse_wal_relay_request(std::string_view line);

// How a server of the sandbox fetches WAL.
struct WalRelayCommand {
  std::vector<std::string> archive_get;
  std::filesystem::path data;  // the server's data directory
  bool operator==(const WalRelayCommand&) const = default;
};

// The commands that a server may ask for. Thread-safe.
class WalRequests {
 public:
  using Run = std::function<CommandResult(const Command& command, const std::stop_token& stop)>;

  explicit WalRequests(Run run) : run_(std::move(run)) {}

  // The client's command; takes a file's name and a destination.
  std::vector<std::string> client_of(WalRelayCommand command, const std::filesystem::path& script);
  // Runs what the line asks for. Lines for the client, less than PIPE_BUF; empty: not a request.
  std::string answer(std::string_view line, const std::stop_token& stop);

 private:
  Run run_;
  std::mutex mutex_;
  std::vector<WalRelayCommand> commands_;
};

}  // namespace pgrehearse
