// A server that answers every connection with the same bytes and records the requests.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

namespace pgrehearse {

class ScriptedHttpServer {
 public:
  enum class After { close, keep_silent };

  // Listens on a free loopback port.
  explicit ScriptedHttpServer(std::string response, After after = After::close)
      : response_(std::move(response)), after_(after) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listen_on(reinterpret_cast<sockaddr*>(&address), sizeof address);
    socklen_t size = sizeof address;
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  // Listens on a unix socket.
  ScriptedHttpServer(const std::filesystem::path& socket, std::string response)
      : response_(std::move(response)), url_("http://engine") {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
    listen_on(reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  ScriptedHttpServer(const ScriptedHttpServer&) = delete;
  ScriptedHttpServer& operator=(const ScriptedHttpServer&) = delete;
  ~ScriptedHttpServer() {
    shutdown(socket_, SHUT_RDWR);  // ends accept()
    thread_ = {};
    close(socket_);
  }

  [[nodiscard]] const std::string& url() const { return url_; }
  // Headers and body of the last request.
  [[nodiscard]] std::string request() {
    const std::scoped_lock lock(mutex_);
    return request_;
  }

 private:
  void listen_on(const sockaddr* address, socklen_t size) {
    socket_ = ::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(socket_, address, size) != 0 || listen(socket_, 8) != 0) {
      throw std::runtime_error("cannot listen");
    }
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }

  void serve(const std::stop_token& stop) {
    while (true) {
      const int connection = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) return;
      receive(connection);
      static_cast<void>(send(connection, response_.data(), response_.size(), MSG_NOSIGNAL));
      pollfd event{.fd = connection, .events = POLLRDHUP, .revents = 0};
      while (after_ == After::keep_silent && !stop.stop_requested() && poll(&event, 1, 10) == 0) {
      }
      close(connection);
    }
  }

  void receive(int connection) {
    std::string text;
    std::array<char, 4096> buffer{};
    while (!is_complete(text)) {
      const auto count = read(connection, buffer.data(), buffer.size());
      if (count <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    const std::scoped_lock lock(mutex_);
    request_ = text;
  }

  static bool is_complete(const std::string& text) {
    const auto end = text.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const std::string key = "Content-Length: ";
    const auto at = text.find(key);
    const auto length = at < end ? std::stoul(text.substr(at + key.size())) : 0;
    return text.size() >= end + 4 + length;
  }

  int socket_ = -1;
  std::string response_;
  After after_ = After::close;
  std::string url_;
  std::mutex mutex_;
  std::string request_;
  std::jthread thread_;
};

}  // namespace pgrehearse
