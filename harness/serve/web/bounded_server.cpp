#include "harness/serve/web/bounded_server.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace pgrehearse {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view busy =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 5\r\nConnection: "
    "close\r\n\r\n";
constexpr std::size_t most_requests = 100;  // of one connection

// Of this thread's connection.
thread_local bool refuse_connection = false;
thread_local bool must_close = false;

// Whether the event happened before the deadline.
bool wait_for_event(int descriptor, short event, Clock::time_point deadline) {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd entry{.fd = descriptor, .events = event, .revents = 0};
    const int ready = poll(&entry, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

struct Address {
  std::string ip;
  int port = 0;
};

Address address_of(const sockaddr_storage& storage) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET) {
    const auto& address = reinterpret_cast<const sockaddr_in&>(storage);
    inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
    return {text.data(), ntohs(address.sin_port)};
  }
  if (storage.ss_family == AF_INET6) {
    const auto& address = reinterpret_cast<const sockaddr_in6&>(storage);
    inet_ntop(AF_INET6, &address.sin6_addr, text.data(), text.size());
    return {text.data(), ntohs(address.sin6_port)};
  }
  return {};
}

Address peer_of(int descriptor) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  return address_of(storage);
}

// The library would choose brotli with its slowest level: two seconds for a megabyte.
void prefer_gzip(httplib::Request& request) {
  const auto accepted = request.get_header_value("Accept-Encoding");
  request.headers.erase("Accept-Encoding");
  if (accepted.find("gzip") != std::string::npos) request.set_header("Accept-Encoding", "gzip");
}

}  // namespace

// Threads that serve connections. One that finds no room is refused at once, by the thread that
// accepts connections.
class BoundedServer::Workers : public httplib::TaskQueue {
 public:
  // void in older releases of the library, bool in newer ones.
  using Enqueued = decltype(std::declval<httplib::TaskQueue&>().enqueue(nullptr));

  explicit Workers(BoundedServer& server) : server_(server) {
    for (std::size_t i = 0; i < server.limits_.threads; ++i) {
      threads_.emplace_back([this] { work(); });
    }
  }

  Enqueued enqueue(std::function<void()> task) override {
    {
      const std::lock_guard lock(mutex_);
      if (tasks_.size() < server_.limits_.waiting && !over_) {
        tasks_.push_back(std::move(task));
        server_.waiting_ = tasks_.size();
        wake_.notify_one();
        return Enqueued(true);
      }
    }
    refuse_connection = true;
    task();
    refuse_connection = false;
    return Enqueued(true);
  }

  void shutdown() override {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
      wake_.notify_all();
    }
    for (auto& thread : threads_) thread.join();
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return over_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      const auto task = std::move(tasks_.front());
      tasks_.pop_front();
      server_.waiting_ = tasks_.size();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  BoundedServer& server_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::thread> threads_;
  bool over_ = false;
};

class BoundedServer::Connection : public httplib::Stream {
 public:
  Connection(int descriptor, const ServerLimits& limits)
      : descriptor_(descriptor), limits_(limits), peer_(peer_of(descriptor)) {}

  void begin_request() {
    deadline_ = Clock::now() + limits_.request_time;
    bytes_left_ = limits_.request_bytes;
    refusal_.clear();
  }
  [[nodiscard]] const std::string& refusal() const { return refusal_; }
  [[nodiscard]] const std::string& remote() const { return peer_.ip; }
  // Bytes that were received and not read yet.
  [[nodiscard]] bool has_buffered() const { return begin_ < end_; }

  [[nodiscard]] bool is_readable() const override {
    return has_buffered() || wait_for_event(descriptor_, POLLIN, deadline_);
  }
  [[nodiscard]] bool is_writable() const override {
    return wait_for_event(descriptor_, POLLOUT, Clock::now() + limits_.write_time);
  }
  [[nodiscard]] bool wait_readable() const { return is_readable(); }
  [[nodiscard]] bool wait_writable() const { return is_writable(); }

  ssize_t read(char* into, size_t size) override {
    if (!has_buffered() && !fill()) return -1;
    const auto taken = std::min(size, end_ - begin_);
    std::copy_n(buffer_.data() + begin_, taken, into);
    begin_ += taken;
    return static_cast<ssize_t>(taken);
  }

  ssize_t write(const char* text, size_t size) override {
    if (!is_writable()) return -1;
    return send(descriptor_, text, size, MSG_NOSIGNAL);
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip = peer_.ip;
    port = peer_.port;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    if (getsockname(descriptor_, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return;
    const auto address = address_of(storage);
    ip = address.ip;
    port = address.port;
  }
  [[nodiscard]] socket_t socket() const override { return descriptor_; }

 private:
  bool fill() {
    if (bytes_left_ == 0) {
      refusal_ = "request too large";
      return false;
    }
    if (!wait_for_event(descriptor_, POLLIN, deadline_)) {
      refusal_ = "request too slow";
      return false;
    }
    const auto received =
        recv(descriptor_, buffer_.data(), std::min(buffer_.size(), bytes_left_), 0);
    if (received <= 0) return false;
    begin_ = 0;
    end_ = static_cast<std::size_t>(received);
    bytes_left_ -= end_;
    return true;
  }

  int descriptor_;
  const ServerLimits& limits_;
  Address peer_;
  Clock::time_point deadline_;
  std::size_t bytes_left_ = 0;
  std::string refusal_;
  std::array<char, 4096> buffer_{};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

BoundedServer::BoundedServer(const ServerLimits& limits, Refused refused)
    : limits_(limits), refused_(std::move(refused)) {
  new_task_queue = [this] { return new Workers(*this); };
  set_payload_max_length(limits.body_bytes);
}

void BoundedServer::close_after_response() { must_close = true; }

void BoundedServer::close() {
  closing_ = true;
  stop();
}

// Newer releases of the library want the addresses. A template, so that the other call is dropped.
template <typename Self>
bool BoundedServer::serve_request(Self& self, Connection& connection, bool last, bool& closed) {
  const auto prepare = [](httplib::Request& request) { prefer_gzip(request); };
  if constexpr (requires { self.process_request(connection, last, closed, prepare); }) {
    return self.process_request(connection, last, closed, prepare);
  } else {
    std::string remote;
    std::string local;
    int remote_port = 0;
    int local_port = 0;
    connection.get_remote_ip_and_port(remote, remote_port);
    connection.get_local_ip_and_port(local, local_port);
    return self.process_request(connection, remote, remote_port, local, local_port, last, closed,
                                prepare);
  }
}

bool BoundedServer::process_and_close_socket(socket_t socket) {
  struct Closer {
    ~Closer() {
      shutdown(descriptor, SHUT_RDWR);
      ::close(descriptor);
    }
    int descriptor;
  } const closer{socket};
  if (refuse_connection) {
    refused_("too many connections", peer_of(socket).ip);
    return send(socket, busy.data(), busy.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
  }
  Connection connection(socket, limits_);
  bool closed = false;
  for (std::size_t i = 0; i < most_requests && !closed && !closing_; ++i) {
    // The first request of a connection has its whole time; later ones make room for others.
    auto idle_until = Clock::now() + (i == 0 ? limits_.request_time : limits_.idle_time);
    while (!connection.has_buffered()) {
      const auto step = std::min(idle_until, Clock::now() + std::chrono::milliseconds(200));
      if (wait_for_event(socket, POLLIN, step)) break;
      if (Clock::now() >= idle_until || closing_ || (i > 0 && waiting_ > 0)) return true;
    }
    connection.begin_request();
    must_close = false;
    const bool served = serve_request(*this, connection, i + 1 == most_requests, closed);
    if (!connection.refusal().empty()) refused_(connection.refusal(), connection.remote());
    if (!served || must_close) return served;
  }
  return true;
}

}  // namespace pgrehearse
