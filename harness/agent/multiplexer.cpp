#include "harness/agent/multiplexer.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace pgrehearse::guest {

namespace {

constexpr std::size_t window = std::size_t{256} << 10U;
constexpr std::size_t worth_telling = window / 4;
constexpr std::size_t piece = std::size_t{32} << 10U;
// Nothing new is read for the line while so much waits for it.
constexpr std::size_t enough_waiting = std::size_t{128} << 10U;
// Many windows: only an end that asks without listening makes so much wait.
constexpr std::size_t too_much_waiting = std::size_t{64} << 20U;

bool passing(int error) { return error == EAGAIN || error == EINTR; }

}  // namespace

Multiplexer::Multiplexer(Descriptor line, Answer answer)
    : line_(std::move(line)), answer_(std::move(answer)) {
  set_nonblocking(line_.get());
}

void Multiplexer::listen(Descriptor socket, char service) {
  set_nonblocking(socket.get());
  listeners_.push_back({std::move(socket), service});
}

bool Multiplexer::greet() {
  send(0, Type::greeting, {});
  while (!greeted_) {
    if (!turn()) return false;
  }
  return true;
}

void Multiplexer::run() {
  while (turn()) {
  }
}

void Multiplexer::collect(std::vector<pollfd>& polled, std::vector<std::uint32_t>& streams) const {
  const auto wanted = [](bool reads, bool writes) {
    return static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
  };
  polled.push_back({line_.get(), wanted(true, !outgoing_.empty()), 0});
  for (const auto& listener : listeners_) polled.push_back({listener.socket.get(), POLLIN, 0});
  const bool room = outgoing_.size() < enough_waiting;
  for (const auto& [id, stream] : streams_) {
    const bool reads = room && !stream.said_all && stream.credit > 0;
    const bool writes = !stream.outgoing.empty() && !stream.broken;
    if (!reads && !writes) continue;
    polled.push_back({stream.end.get(), wanted(reads, writes), 0});
    streams.push_back(id);
  }
}

bool Multiplexer::turn() {
  std::vector<pollfd> polled;
  std::vector<std::uint32_t> ids;
  collect(polled, ids);
  const int ready = poll(polled.data(), polled.size(), -1);
  const bool interrupted = ready < 0 && passing(errno);
  if (on_wake_) on_wake_();
  if (ready < 0) return interrupted;
  if ((polled[0].revents & POLLOUT) != 0 && !write_line()) return false;
  if ((polled[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !read_line()) return false;
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

bool Multiplexer::write_line() {
  const auto written = write(line_.get(), outgoing_.data(), outgoing_.size());
  if (written < 0) return passing(errno) || keeps_line_;
  outgoing_.erase(0, static_cast<std::size_t>(written));
  return true;
}

bool Multiplexer::read_line() {
  std::array<char, piece> buffer{};
  const auto count = read(line_.get(), buffer.data(), buffer.size());
  if (count < 0) return passing(errno) || keeps_line_;
  if (count == 0) {
    // A virtio port without its other end reads as ended, again and again.
    if (keeps_line_) poll(nullptr, 0, 10);
    return keeps_line_;
  }
  incoming_.append(buffer.data(), static_cast<std::size_t>(count));
  std::size_t at = 0;
  while (incoming_.size() - at >= sizeof(Header)) {
    Header header;
    std::memcpy(&header, incoming_.data() + at, sizeof(header));
    if (header.length > piece || outgoing_.size() > too_much_waiting) return false;
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
    answer(header);
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
  stream.heard_all = true;
  return true;
}

void Multiplexer::answer(const Header& header) {
  if (header.type == Type::greeting) return send(0, Type::answer, {});
  if (header.type == Type::answer) {
    greeted_ = true;
    return;
  }
  Descriptor end = answer_ ? answer_(header.service) : Descriptor();
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
  std::array<char, piece> buffer{};
  const auto count = read(stream.end.get(), buffer.data(), std::min(buffer.size(), stream.credit));
  if (count < 0 && passing(errno)) return;
  if (count <= 0) {
    stream.said_all = true;
    return send(id, Type::end, {});
  }
  stream.credit -= static_cast<std::size_t>(count);
  send(id, Type::data, {buffer.data(), static_cast<std::size_t>(count)});
}

void Multiplexer::write_stream(std::uint32_t id, Stream& stream) {
  const auto count = ::send(stream.end.get(), stream.outgoing.data(), stream.outgoing.size(),
                            MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count < 0 && passing(errno)) return;
  std::size_t taken = stream.outgoing.size();
  if (count < 0) {
    stream.broken = true;
  } else {
    taken = static_cast<std::size_t>(count);
  }
  stream.outgoing.erase(0, taken);
  stream.consumed += taken;
  if (stream.consumed < worth_telling && !stream.broken) return;
  send_credit(id, stream.consumed);
  stream.consumed = 0;
}

void Multiplexer::finish_streams() {
  for (auto at = streams_.begin(); at != streams_.end();) {
    auto& stream = at->second;
    if (stream.heard_all && stream.outgoing.empty()) {
      // Again and again: the second time it does nothing.
      shutdown(stream.end.get(), SHUT_WR);
      if (stream.said_all) {
        at = streams_.erase(at);
        continue;
      }
    }
    ++at;
  }
}

}  // namespace pgrehearse::guest
