#include "harness/primary/streaming_relay.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <regex>
#include <system_error>

#include "harness/common/poll_until.hpp"
#include "harness/postgres/protocol/messages.hpp"
#include "harness/postgres/protocol/startup_packet.hpp"
#include "harness/process/acting_account.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t longest_message = 1U << 20U;
constexpr auto interval = std::chrono::milliseconds(20);
constexpr auto longest_wait = std::chrono::seconds(30);

// A number in two bytes of the protocol.
std::string short_number(std::uint32_t value) { return number_to_wire(value).substr(2); }

std::string terminated(std::string_view text) { return std::string(text) + '\0'; }

std::string error_answer(std::string_view severity, const SqlError& error) {
  const auto& state = error.sqlstate();
  return error_message(severity, state.empty() ? "08006" : state, error.what());
}

std::string ready_for_query() { return server_message('Z', "I"); }

std::string result_messages(const Rows& rows, const std::string& tag) {
  constexpr std::uint32_t text_type = 25;
  std::string description = short_number(static_cast<std::uint32_t>(rows.columns.size()));
  for (const auto& column : rows.columns) {
    description += terminated(column) + number_to_wire(0) + short_number(0) +
                   number_to_wire(text_type) + short_number(0xFFFF) + number_to_wire(0xFFFFFFFF) +
                   short_number(0);
  }
  auto text = server_message('T', description);
  for (const auto& row : rows.rows) {
    std::string fields = short_number(static_cast<std::uint32_t>(row.size()));
    for (const auto& field : row) {
      fields += field ? number_to_wire(static_cast<std::uint32_t>(field->size())) + *field
                      : number_to_wire(0xFFFFFFFF);
    }
    text += server_message('D', fields);
  }
  return text + server_message('C', terminated(tag)) + ready_for_query();
}

// "15.4" of 150004.
std::string version_text(int version) {
  return fmt::format("{}.{}", version / 10000, version % 10000);
}

// The standby has ended, or sends what is not the protocol.
struct Gone {};

void send_all(int client, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) throw Gone();
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool readable(int descriptor, std::chrono::milliseconds time) {
  pollfd event{.fd = descriptor, .events = POLLIN, .revents = 0};
  return poll(&event, 1, static_cast<int>(time.count())) > 0;
}

std::string receive(int client, std::size_t size, const std::stop_token& stop) {
  std::string bytes(size, '\0');
  const auto deadline = std::chrono::steady_clock::now() + longest_wait;
  for (std::size_t have = 0; have < size;) {
    if (stop.stop_requested() || std::chrono::steady_clock::now() > deadline) throw Gone();
    if (!readable(client, interval)) continue;
    const auto got = recv(client, bytes.data() + have, size - have, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw Gone();
    have += static_cast<std::size_t>(got);
  }
  return bytes;
}

// What a length field counts, itself included.
std::string receive_counted(int client, const std::stop_token& stop) {
  const std::size_t length = number_from_wire(receive(client, 4, stop));
  if (length < 4 || length > longest_message) throw Gone();
  return receive(client, length - 4, stop);
}

// Physical replication asks for it with the parameter "replication".
void receive_startup(int client, const std::stop_token& stop) {
  for (int requests = 0; requests < 3; ++requests) {
    const auto packet = receive_counted(client, stop);
    using Kind = StartupPacket::Kind;
    const auto parsed = parse_startup_packet(packet);
    if (parsed.kind == Kind::ssl_request || parsed.kind == Kind::gss_request) {
      send_all(client, "N");
      continue;
    }
    if (parsed.kind != Kind::startup || parsed.replication != "true") throw Gone();
    return;
  }
  throw Gone();
}

Descriptor listen_at(const StreamingRelayOptions& options) {
  const ActingAccount acting(options.account);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto& path = options.socket.native();
  Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (path.size() >= sizeof address.sun_path) errno = ENAMETOOLONG;
  if (listener && path.size() < sizeof address.sun_path) {
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const auto* plain = reinterpret_cast<const sockaddr*>(&address);
    if (bind(listener.get(), plain, sizeof address) == 0 && chmod(path.c_str(), 0600) == 0 &&
        listen(listener.get(), 4) == 0) {
      return listener;
    }
  }
  throw Error(ErrorKind::environment,
              fmt::format("cannot listen on {}: {}", path, std::generic_category().message(errno)),
              "", FindingCode::env_directory, path);
}

}  // namespace

bool is_relayed(std::string_view command) {
  static const std::regex allowed(
      "IDENTIFY_SYSTEM;?|TIMELINE_HISTORY [0-9]+;?|"
      "START_REPLICATION( PHYSICAL)? [0-9A-Fa-f]+/[0-9A-Fa-f]+( TIMELINE [0-9]+)?;?");
  return std::regex_match(command.begin(), command.end(), allowed);
}

StreamingRelay::StreamingRelay(const Primary& primary, StreamingRelayOptions options)
    : primary_(primary), options_(std::move(options)), listener_(listen_at(options_)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { accept_standbys(stop); });
}

StreamingRelay::~StreamingRelay() {
  thread_.request_stop();
  thread_.join();
  try {
    const ActingAccount acting(options_.account);
    unlink(options_.socket.c_str());
  } catch (const Error&) {
    // Removed with the sandbox.
  }
}

std::optional<std::string> StreamingRelay::refusal() const {
  const std::lock_guard lock(mutex_);
  return refusal_;
}

// One standby, and one connection to the primary, at a time.
void StreamingRelay::accept_standbys(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!readable(listener_.get(), interval)) continue;
    const Descriptor client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client) continue;
    // A standby that reads nothing must not hold up the end of the relay.
    const timeval limit{.tv_sec = longest_wait.count(), .tv_usec = 0};
    setsockopt(client.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    try {
      serve(client.get(), stop);
    } catch (const Gone&) {
      spdlog::debug("the standby's connection ended");
    } catch (const std::exception& error) {
      spdlog::debug("the standby's connection: {}", error.what());
    }
    streams_ = false;
  }
}

void StreamingRelay::serve(int client, const std::stop_token& stop) {
  receive_startup(client, stop);
  std::optional<Connection> server;
  try {
    server.emplace(primary_.connect_for_streaming(options_.application_name, stop));
    const std::lock_guard lock(mutex_);
    refusal_.reset();
  } catch (const SqlError& error) {
    {
      const std::lock_guard lock(mutex_);
      refusal_ = error.what();
    }
    send_all(client, error_answer("FATAL", error));
    return;
  }
  send_all(client, server_message('R', number_to_wire(0)) +
                       server_message('S', terminated("server_version") +
                                               terminated(version_text(server->server_version()))) +
                       server_message('S', terminated("integer_datetimes") + terminated("on")) +
                       ready_for_query());
  while (!stop.stop_requested()) {
    if (!readable(client, interval)) continue;
    const auto type = receive(client, 1, stop);
    const auto body = receive_counted(client, stop);
    if (type != "Q") return;
    if (!answer(client, body.substr(0, body.find('\0')), *server, stop)) return;
  }
}

// False: the connection ends.
bool StreamingRelay::answer(int client, const std::string& command, Connection& server,
                            const std::stop_token& stop) {
  if (!is_relayed(command)) {
    const SqlError refused(ErrorKind::environment,
                           "pgrehearse passes on only what a standby without a slot sends",
                           "0A000");
    send_all(client, error_answer("ERROR", refused) + ready_for_query());
    return true;
  }
  try {
    if (!command.starts_with("START_REPLICATION")) {
      send_all(client,
               result_messages(server.query(command), command.substr(0, command.find(' '))));
      return true;
    }
    server.start_copy(command);
  } catch (const SqlError& error) {
    send_all(client, error_answer("ERROR", error) + ready_for_query());
    return true;
  }
  // Text format, no columns.
  send_all(client, server_message('W', std::string(1, '\0') + short_number(0)));
  carry(client, server, stop);
  return false;
}

void StreamingRelay::carry(int client, Connection& server, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      const auto messages = server.receive_copied(interval);
      // The end of a timeline: the standby connects again and continues on the next one.
      if (!messages) return;
      for (const auto& wal : *messages) {
        streams_ = true;
        send_all(client, server_message('d', wal));
      }
    } catch (const SqlError& error) {
      send_all(client, error_answer("ERROR", error));
      return;
    }
    while (readable(client, std::chrono::milliseconds(0))) {
      const auto type = receive(client, 1, stop);
      const auto body = receive_counted(client, stop);
      if (type != "d") return;
      server.send_copied(body);
    }
  }
}

}  // namespace pgrehearse
