// Lets a standby in a sandbox without network stream WAL from the primary: the standby connects to
// a Unix socket, and this process to the primary. The standby can only ask for WAL; it needs no
// password.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "harness/postgres/connection.hpp"
#include "harness/primary/primary.hpp"
#include "harness/process/command.hpp"
#include "harness/process/descriptor.hpp"

namespace pgrehearse {

// Whether the standby's command is passed on: IDENTIFY_SYSTEM, TIMELINE_HISTORY, and
// START_REPLICATION without a replication slot.
bool is_relayed(std::string_view command);

struct StreamingRelayOptions {
  std::filesystem::path socket;  // the standby's `host` is its directory
  Account account;               // of the standby
  std::string application_name;  // shown in pg_stat_replication
};

class StreamingRelay {
 public:
  // Listens; `primary` outlives this object. Throws Error(environment).
  StreamingRelay(const Primary& primary, StreamingRelayOptions options);
  StreamingRelay(const StreamingRelay&) = delete;
  StreamingRelay& operator=(const StreamingRelay&) = delete;
  // Ends the connection to the primary and removes the socket.
  ~StreamingRelay();

  // Why the primary refused the newest connection; nullopt: it did not.
  [[nodiscard]] std::optional<std::string> refusal() const;
  // Whether the primary streams: it has sent WAL or a keepalive on the connection that is open.
  // pg_stat_wal_receiver shows `streaming` as soon as the standby has connected, also where
  // START_REPLICATION then fails (walreceiver.c sets walRcvState before it connects).
  [[nodiscard]] bool streams() const { return streams_; }

 private:
  void accept_standbys(const std::stop_token& stop);
  void serve(int client, const std::stop_token& stop);
  bool answer(int client, const std::string& command, Connection& server,
              const std::stop_token& stop);
  void carry(int client, Connection& server, const std::stop_token& stop);

  const Primary& primary_;
  StreamingRelayOptions options_;
  Descriptor listener_;
  std::atomic<bool> streams_ = false;
  mutable std::mutex mutex_;
  std::optional<std::string> refusal_;
  std::jthread thread_;  // last: it uses the other members
};

}  // namespace pgrehearse
