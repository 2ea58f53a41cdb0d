// Lets other accounts of this host connect to a kept copy, as one role only. The copy itself
// listens on a socket that they cannot reach; nothing in it is opened for them.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

namespace pgrehearse {

struct AccessRelayOptions {
  std::filesystem::path socket;  // of the copy's server
  std::filesystem::path data;    // its data directory: another process at the socket is refused
  std::string role;
  // Name of an abstract Unix socket, in this network namespace: "pgrehearse-ID". It disappears with
  // this process. Clients of PostgreSQL 14 and newer connect with host=@NAME.
  std::string name;
  // Who may use it, besides this process's own account; known by the kernel, not by a password.
  std::set<uid_t> accounts;
  std::set<gid_t> groups;
  // Also TCP, on 127.0.0.1: 0 chooses a free port. Everybody on this host can connect to it, so
  // that the password is needed.
  std::optional<std::uint16_t> port;
  std::string password;
};

class AccessRelay {
 public:
  // Listens. Throws Error(environment) if the name or the port is in use.
  explicit AccessRelay(AccessRelayOptions options);
  AccessRelay(const AccessRelay&) = delete;
  AccessRelay& operator=(const AccessRelay&) = delete;
  ~AccessRelay();

  [[nodiscard]] std::uint16_t port() const;  // 0 without TCP
  // Serves clients until `stop`, or for that time. Their connections end with it.
  void run(std::optional<std::chrono::milliseconds> time, const std::stop_token& stop);

 private:
  struct Service;
  std::unique_ptr<Service> service_;
};

}  // namespace pgrehearse
