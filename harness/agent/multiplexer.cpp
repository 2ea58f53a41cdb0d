#include "harness/agent/multiplexer.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace pgrehearse::agent {

namespace {

constexpr std::size_t window = std::size_t{256} << 10U;
constexpr std::size_t credit_threshold = window / 4;
constexpr std::size_t largest_payload = std::size_t{32} << 10U;
// While this many bytes wait for the port, streams are not read.
constexpr std::size_t pause_reading_at = std::size_t{128} << 10U;
// More than many windows: only a peer that sends requests and never reads gets here.
constexpr std::size_t longest_queue = std::size_t{64} << 20U;

bool is_transient(int error) { return error == EAGAIN || error == EINTR; }

}  // namespace

Multiplexer::Multiplexer(Descriptor port, Accept accept)
    : port_(std::move(port)), accept_(std::move(accept)) {
  set_nonblocking(port_.get());
}

void Multiplexer::listen(Descriptor socket, char service) {
  set_nonblocking(socket.get());
  listeners_.push_back({std::move(socket), service});
}

bool Multiplexer::greet() {
  send(0, Type::greeting, {});
  while (!greeted_) {
    if (!poll_once()) return false;
  }
  return true;
}

void Multiplexer::run() {
  while (poll_once()) {
  }
}

void Multiplexer::collect(std::vector<pollfd>& polled, std::vector<std::uint32_t>& streams) const {
  const auto wanted = [](bool reads, bool writes) {
    return static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
  };
  polled.push_back({port_.get(), wanted(true, !outgoing_.empty()), 0});
  for (const auto& listener : listeners_) polled.push_back({listener.socket.get(), POLLIN, 0});
  const bool has_room = outgoing_.size() < pause_reading_at;
  for (const auto& [id, stream] : streams_) {
    const bool reads = has_room && !stream.sent_all && stream.credit > 0;
    const bool writes = !stream.outgoing.empty() && !stream.broken;
    if (!reads && !writes) continue;
    polled.push_back({stream.end.get(), wanted(reads, writes), 0});
    streams.push_back(id);
  }
}

bool Multiplexer::poll_once() {
  std::vector<pollfd> polled;
  std::vector<std::uint32_t> ids;
  collect(polled, ids);
  const int ready = poll(polled.data(), polled.size(), -1);
  const bool interrupted = ready < 0 && is_transient(errno);
  if (on_wake_) on_wake_();
  if (ready < 0) return interrupted;
  if ((polled[0].revents & POLLOUT) != 0 && !write_port()) return false;
  if ((polled[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !read_port()) return false;
  const auto listening = listeners_.size();
  for (std::size_t number = 0; number < listening; ++number) {
    if (polled[1 + number].revents != 0) accept_from(listeners_[number]);
  }
  for (std::size_t number = 0; number < ids.size(); ++number) {
    const auto& seen = polled[1 + listening + number];
    const auto found = streams_.find(ids[number]);
    if (found == streams_.end() || seen.revents == 0) continue;
    if ((seen.revents & POLLOUT) != 0) write_stream(found->first, found->second);
    if ((seen.events & POLLIN) != 0 && (seen.revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
      read_stream(found->first, found->second);
    }
  }
  finish_streams();
  return true;
}

void Multiplexer::send(std::uint32_t stream, Type type, std::string_view payload, char service) {
  const Header header{.stream = stream,
                      .length = static_cast<std::uint32_t>(payload.size()),
                      .type = type,
                      .service = service};
  outgoing_.append(reinterpret_cast<const char*>(&header), sizeof(header));
  outgoing_.append(payload);
}

void Multiplexer::send_credit(std::uint32_t id, std::size_t count) {
  const auto number = static_cast<std::uint32_t>(count);
  send(id, Type::credit, {reinterpret_cast<const char*>(&number), sizeof(number)});
}

bool Multiplexer::write_port() {
  const auto written = write(port_.get(), outgoing_.data(), outgoing_.size());
  if (written < 0) return is_transient(errno) || tolerates_reconnects_;
  outgoing_.erase(0, static_cast<std::size_t>(written));
  return true;
}

bool Multiplexer::read_port() {
  std::array<char, largest_payload> buffer{};
  const auto count = read(port_.get(), buffer.data(), buffer.size());
  if (count < 0) return is_transient(errno) || tolerates_reconnects_;
  if (count == 0) {
    // Reading a virtio port without a peer returns end of file at once, each time.
    if (tolerates_reconnects_) poll(nullptr, 0, 10);
    return tolerates_reconnects_;
  }
  incoming_.append(buffer.data(), static_cast<std::size_t>(count));
  std::size_t at = 0;
  while (incoming_.size() - at >= sizeof(Header)) {
    Header header;
    std::memcpy(&header, incoming_.data() + at, sizeof(header));
    if (header.length > largest_payload || outgoing_.size() > longest_queue) return false;
    if (incoming_.size() - at - sizeof(header) < header.length) break;
    const auto payload = std::string_view(incoming_).substr(at + sizeof(header), header.length);
    if (!handle(header, payload)) return false;
    at += sizeof(header) + header.length;
  }
  incoming_.erase(0, at);
  return true;
}

bool Multiplexer::handle(const Header& header, std::string_view payload) {
  if (header.type == Type::greeting || header.type == Type::answer || header.type == Type::open) {
    handle_control(header);
    return true;
  }
  const auto found = streams_.find(header.stream);
  if (found == streams_.end()) return true;
  auto& stream = found->second;
  if (header.type == Type::data) {
    if (stream.broken) {
      send_credit(header.stream, payload.size());
      return true;
    }
    stream.outgoing.append(payload);
    return stream.outgoing.size() <= window;
  }
  if (header.type == Type::credit) {
    std::uint32_t count = 0;
    if (payload.size() == sizeof(count)) std::memcpy(&count, payload.data(), sizeof(count));
    stream.credit += count;
    return true;
  }
  stream.received_all = true;
  return true;
}

void Multiplexer::handle_control(const Header& header) {
  if (header.type == Type::greeting) return send(0, Type::answer, {});
  if (header.type == Type::answer) {
    greeted_ = true;
    return;
  }
  Descriptor end = accept_ ? accept_(header.service) : Descriptor();
  if (!end) return send(header.stream, Type::end, {});
  set_nonblocking(end.get());
  streams_[header.stream] = {.end = std::move(end), .credit = window};
}

void Multiplexer::accept_from(const Listener& listener) {
  Descriptor end(accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!end) return;
  const auto id = next_++;
  streams_[id] = {.end = std::move(end), .credit = window};
  send(id, Type::open, {}, listener.service);
}

void Multiplexer::read_stream(std::uint32_t id, Stream& stream) {
  std::array<char, largest_payload> buffer{};
  const auto count = read(stream.end.get(), buffer.data(), std::min(buffer.size(), stream.credit));
  if (count < 0 && is_transient(errno)) return;
  if (count <= 0) {
    stream.sent_all = true;
    return send(id, Type::end, {});
  }
  stream.credit -= static_cast<std::size_t>(count);
  send(id, Type::data, {buffer.data(), static_cast<std::size_t>(count)});
}

void Multiplexer::write_stream(std::uint32_t id, Stream& stream) {
  const auto count = ::send(stream.end.get(), stream.outgoing.data(), stream.outgoing.size(),
                            MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count < 0 && is_transient(errno)) return;
  std::size_t taken = stream.outgoing.size();
  if (count < 0) {
    stream.broken = true;
  } else {
    taken = static_cast<std::size_t>(count);
  }
  stream.outgoing.erase(0, taken);
  stream.consumed += taken;
  if (stream.consumed < credit_threshold && !stream.broken) return;
  send_credit(id, stream.consumed);
  stream.consumed = 0;
}

void Multiplexer::finish_streams() {
  for (auto at = streams_.begin(); at != streams_.end();) {
    auto& stream = at->second;
    if (stream.received_all && stream.outgoing.empty()) {
      // Repeated on each pass; harmless after the first time.
      shutdown(stream.end.get(), SHUT_WR);
      if (stream.sent_all) {
        at = streams_.erase(at);
        continue;
      }
    }
    ++at;
  }
}

}  // namespace pgrehearse::agent
