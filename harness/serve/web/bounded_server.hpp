// An HTTP server that bounds what one client, and all clients together, can take: connections,
// bytes of a request, and time.
#pragma once

#include <httplib.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace pgrehearse {

struct ServerLimits {
  std::size_t threads = 24;
  std::size_t waiting = 64;           // connections without a thread; more are refused
  std::size_t request_bytes = 65536;  // request line, header fields and body
  std::size_t body_bytes = 16384;
  std::chrono::milliseconds request_time{5000};  // until the request is complete
  std::chrono::milliseconds idle_time{2000};     // between requests of a connection
  std::chrono::milliseconds write_time{10000};   // without progress
};

class BoundedServer : public httplib::Server {
 public:
  // `refused` is called with the reason and the address of the client, from any thread.
  using Refused = std::function<void(const std::string& reason, const std::string& remote)>;
  BoundedServer(const ServerLimits& limits, Refused refused);

  // Ends the connection after the current response: its request was not read to the end.
  static void close_after_response();

  // Refuses no more requests, ends idle connections and streams.
  void close();
  [[nodiscard]] bool is_closing() const { return closing_; }

 private:
  class Workers;
  class Connection;

  bool process_and_close_socket(socket_t socket) override;
  template <typename Self>
  static bool serve_request(Self& self, Connection& connection, bool last, bool& closed);

  ServerLimits limits_;
  Refused refused_;
  std::atomic<bool> closing_{false};
  std::atomic<std::size_t> waiting_{0};
};

}  // namespace pgrehearse
