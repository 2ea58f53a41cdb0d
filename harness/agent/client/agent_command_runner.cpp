#include "harness/agent/client/agent_command_runner.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <system_error>

#include "harness/agent/protocol.hpp"
#include "harness/agent/socket.hpp"
#include "harness/common/error.hpp"
#include "harness/process/descriptor.hpp"
#include "harness/process/stream_text.hpp"

namespace pgrehearse {

namespace {

using Clock = std::chrono::steady_clock;
using agent::Message;

constexpr auto kill_timeout = std::chrono::seconds(30);
// The agent never sends a message this long.
constexpr std::size_t longest_message = std::size_t{1} << 20U;

[[noreturn]] void throw_ended(const AgentMessages& messages) {
  throw Error(ErrorKind::environment, messages.ended, messages.ended_hint, messages.code);
}

// One run of one command.
class Session {
 public:
  Session(const std::filesystem::path& socket, const Command& command,
          const AgentMessages& messages)
      // A stopped container or virtual machine accepts nothing.
      : connection_(agent::connect_to(socket.c_str(), kill_timeout)),
        command_(command),
        texts_(messages) {
    // The copy may have replaced the socket with a link to another one of this host.
    ucred peer{};
    socklen_t size = sizeof(peer);
    if (!connection_ || getsockopt(connection_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
        peer.uid != texts_.account) {
      throw_ended(texts_);
    }
  }

  void request(std::string_view input) {
    agent::Request request{.program = command_.program,
                           .arguments = command_.arguments,
                           .directory = command_.working_directory.string(),
                           .input = std::string(input)};
    for (const auto& [name, value] : command_.environment) {
      request.environment.push_back(fmt::format("{}={}", name, value));
    }
    if (!send(agent::message(Message::request, to_bytes(request)))) throw_ended(texts_);
  }

  CommandResult go(const std::stop_token& stop) {
    const Descriptor woken(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const std::stop_callback on_stop(stop, [&woken] { eventfd_write(woken.get(), 1); });
    while (!over_) {
      // A stop request changes nothing once the command is being ended.
      std::array<pollfd, 2> polled{
          {{connection_.get(), POLLIN, 0}, {ending_since_ ? -1 : woken.get(), POLLIN, 0}}};
      poll(polled.data(), polled.size(), milliseconds_to_wait());
      end_early(stop);
      if (polled[0].revents != 0) receive();
      handle_messages();
      if (messages_.waiting() > longest_message) throw_ended(texts_);
    }
    out_.end();
    error_.end();
    result_.duration = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began_);
    result_.output = out_.release();
    result_.error_output = error_.release();
    result_.truncated = out_.truncated() || error_.truncated();
    return std::move(result_);
  }

  // The errno of a program that could not be started; 0: it was started.
  [[nodiscard]] int not_started() const { return not_started_; }

 private:
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = ::send(connection_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  // A failure means that the command has just ended; its last messages are still to be read.
  void send_signal(int signal) { send(agent::message(Message::signal, agent::numbers(signal))); }

  [[nodiscard]] Clock::time_point next_deadline() const {
    if (!ending_since_) return began_ + command_.timeout;
    return *ending_since_ + command_.grace + (killed_ ? kill_timeout : std::chrono::seconds(0));
  }

  [[nodiscard]] int milliseconds_to_wait() const {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(next_deadline() - Clock::now()).count();
    constexpr std::int64_t longest = 3'600'000;
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, longest));
  }

  void end_early(const std::stop_token& stop) {
    const bool late = Clock::now() >= next_deadline();
    if (!ending_since_ && (late || stop.stop_requested())) {
      (stop.stop_requested() ? result_.cancelled : result_.timed_out) = true;
      ending_since_ = Clock::now();
      send_signal(command_.stop_signal);
    } else if (ending_since_ && late && !killed_) {
      killed_ = true;
      send_signal(SIGKILL);
    } else if (killed_ && late) {
      result_.signal = SIGKILL;
      over_ = true;
    }
  }

  void receive() {
    std::array<char, 65536> buffer{};
    const auto count = recv(connection_.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) return;
    if (count <= 0) throw_ended(texts_);
    messages_.take({buffer.data(), static_cast<std::size_t>(count)});
  }

  void handle_messages() {
    Message type{};
    std::string payload;
    while (!over_ && messages_.next(type, payload)) {
      if (type == Message::output) out_.take(payload);
      if (type == Message::error) error_.take(payload);
      if (type == Message::not_started) {
        not_started_ = static_cast<int>(agent::Reader(payload).number());
      }
      if (type == Message::ended) {
        agent::Reader reader(payload);
        result_.exit_code = static_cast<int>(reader.number());
        result_.signal = static_cast<int>(reader.number());
      }
      over_ = type == Message::ended || type == Message::not_started;
    }
  }

  Descriptor connection_;
  const Command& command_;
  const AgentMessages& texts_;
  StreamText out_{command_};
  StreamText error_{command_};
  agent::Messages messages_;
  Clock::time_point began_ = Clock::now();
  std::optional<Clock::time_point> ending_since_;
  bool killed_ = false;
  bool over_ = false;
  int not_started_ = 0;
  CommandResult result_;
};

}  // namespace

CommandResult AgentCommandRunner::run(const Command& command, std::string_view input,
                                      std::stop_token stop) {
  if (stop.stop_requested()) return {.cancelled = true};
  Session session(socket_, command, texts_);
  session.request(input);
  auto result = session.go(stop);
  const auto reason = session.not_started();
  if (reason == 0) return result;
  const auto words = std::generic_category().message(reason);
  if (reason == ENOENT) {
    throw Error(
        ErrorKind::environment,
        fmt::format("program '{}' not found in image {}: {}", command.program, texts_.image, words),
        texts_.image_hint, FindingCode::env_binary, command.program);
  }
  throw Error(ErrorKind::environment,
              fmt::format("program '{}' cannot be started in image {}: {}", command.program,
                          texts_.image, words),
              {}, texts_.code, command.program);
}

}  // namespace pgrehearse
