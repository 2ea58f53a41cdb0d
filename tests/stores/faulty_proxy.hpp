// A TCP proxy on localhost that fails on a schedule: it resets connections, stalls them or ends
// them early, at stated numbers of forwarded bytes.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace pgrehearse {

struct ProxyFault {
  enum class Kind { reset, stall, close };
  Kind kind = Kind::reset;
  std::uint64_t after = 0;  // bytes from the server, counted over all connections
  int connections = 1;      // that meet the fault from there on; 0: all
};
std::string to_text(const ProxyFault& fault);

class FaultyProxy {
 public:
  // Listens on a free port and forwards to `port` of localhost.
  explicit FaultyProxy(int port);
  FaultyProxy(const FaultyProxy&) = delete;
  FaultyProxy& operator=(const FaultyProxy&) = delete;
  // Closes every connection.
  ~FaultyProxy();

  [[nodiscard]] int port() const { return listening_port_; }
  // From now on; counts bytes from zero again. A stalled connection stays open until then.
  void schedule(std::vector<ProxyFault> faults);
  // Bytes from the server since schedule().
  [[nodiscard]] std::uint64_t forwarded() const { return forwarded_; }
  [[nodiscard]] int faults_met() const { return met_; }

 private:
  void accept_connections(const std::stop_token& stop);
  void serve(int client, const std::stop_token& stop);
  // Whether a fault happens to a connection now, and which.
  bool meets(ProxyFault::Kind& kind);

  int target_;
  int listening_ = -1;
  int listening_port_ = 0;
  std::mutex mutex_;
  std::vector<ProxyFault> faults_;
  std::vector<std::jthread> connections_;
  std::atomic<std::uint64_t> forwarded_ = 0;
  std::atomic<int> met_ = 0;
  std::atomic<int> generation_ = 0;
  std::jthread thread_;
};

}  // namespace pgrehearse
