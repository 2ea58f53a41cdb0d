#include "harness/process/boost_command_runner.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/readable_pipe.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/stdio.hpp>
#include <csignal>
#include <cstdlib>

#include "harness/common/error.hpp"
#include "harness/process/child_setup.hpp"
#include "harness/process/confinement.hpp"
#include "harness/process/stream_text.hpp"

namespace pgrehearse {

namespace {

namespace asio = boost::asio;
namespace bp = boost::process::v2;

// A descendant in another session may hold the pipes open indefinitely.
constexpr auto time_to_drain = std::chrono::milliseconds(500);

std::vector<std::string> environment_of(const Command& command) {
  const auto account = command.account ? *command.account : current_account();
  std::map<std::string, std::string> variables{
      {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
      {"LANG", "C.UTF-8"},
      {"LC_ALL", "C.UTF-8"},
      {"TZ", "UTC"},
      {"HOME", account.home},
      {"USER", account.name},
      {"LOGNAME", account.name}};
  if (const char* path = std::getenv("PATH")) variables["PATH"] = path;
  if (!command.isolation) {
    for (const auto& [name, value] : pgbackrest_variables()) variables[name] = value;
  }
  for (const auto& [name, value] : command.environment) variables[name] = value;
  std::vector<std::string> entries;
  entries.reserve(variables.size());
  for (const auto& [name, value] : variables) entries.push_back(fmt::format("{}={}", name, value));
  return entries;
}

// The path of the executable, found in PATH as execvp() does.
std::string resolve(const Command& command, const std::vector<std::string>& environment) {
  if (command.program.find('/') != std::string::npos) return command.program;
  for (const auto& entry : environment) {
    if (!entry.starts_with("PATH=")) continue;
    std::string_view rest = std::string_view(entry).substr(5);
    while (!rest.empty()) {
      const auto end = rest.find(':');
      const auto candidate = std::filesystem::path(rest.substr(0, end)) / command.program;
      if (access(candidate.c_str(), X_OK) == 0) return candidate;
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    }
  }
  throw Error(ErrorKind::environment, fmt::format("program '{}' is not in PATH", command.program),
              "install it, or set its full path", FindingCode::env_binary, command.program);
}

// Reads one stream to its end.
class StreamReader {
 public:
  StreamReader(asio::io_context& context, const Command& command, std::function<void()> on_end)
      : pipe(context), text(command), on_end_(std::move(on_end)) {}

  void start() {
    pipe.async_read_some(asio::buffer(buffer_), [this](const auto& error, std::size_t length) {
      text.take({buffer_.data(), length});
      if (error) {
        open_ = false;
        text.end();
        on_end_();
        return;
      }
      start();
    });
  }
  [[nodiscard]] bool open() const { return open_; }

  asio::readable_pipe pipe;
  StreamText text;

 private:
  std::function<void()> on_end_;
  std::array<char, 16384> buffer_{};
  bool open_ = true;
};

// One command: process, streams, timeout and cancellation share one io_context.
class Run {
 public:
  explicit Run(const Command& command) : command_(command) {}

  CommandResult go(const std::stop_token& stop) {
    const auto began = std::chrono::steady_clock::now();
    launch();
    out_.start();
    error_.start();
    await_exit();
    deadline_.expires_after(command_.timeout);
    deadline_.async_wait([this](const auto& failure) {
      if (!failure) end_early(result_.timed_out);
    });
    const std::stop_callback on_stop(
        stop, [this] { asio::post(context_, [this] { end_early(result_.cancelled); }); });
    context_.run();
    result_.duration = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - began);
    result_.output = out_.text.release();
    result_.error_output = error_.text.release();
    result_.truncated = out_.text.truncated() || error_.text.truncated();
    return std::move(result_);
  }

 private:
  void launch() {
    const auto environment = environment_of(command_);
    const auto program = resolve(command_, environment);
    const auto confinement = command_.confine_writes_to.empty()
                                 ? std::nullopt
                                 : WriteConfinement::prepare(command_.confine_writes_to);
    boost::system::error_code failure;
    process_.emplace(bp::default_process_launcher()(
        context_.get_executor(), failure, program, command_.arguments,
        bp::process_stdio{
            .in = bp::filesystem::path(command_.input.empty() ? std::string("/dev/null")
                                                              : command_.input.string()),
            .out = out_.pipe,
            .err = error_.pipe},
        ChildSetup(command_, environment, confinement ? confinement->fd() : -1)));
    if (failure) {
      throw Error(ErrorKind::environment,
                  fmt::format("cannot start {}: {}", program, failure.message()),
                  "check that it is installed and that this account may run it",
                  FindingCode::env_binary, program);
    }
    group_ = process_->id();
    if (command_.on_start) command_.on_start(group_);
  }

  void await_exit() {
    process_->async_wait([this](const auto&, int) {
      const int status = process_->native_exit_code();
      if (WIFEXITED(status)) result_.exit_code = WEXITSTATUS(status);
      if (WIFSIGNALED(status)) result_.signal = WTERMSIG(status);
      exited_ = true;
      // Processes that the command left in its group end with it.
      kill(-group_, SIGKILL);
      deadline_.expires_after(time_to_drain);
      deadline_.async_wait([this](const auto& failure) {
        if (failure) return;
        out_.pipe.close();
        error_.pipe.close();
      });
      finish_if_drained();
    });
  }

  void finish_if_drained() {
    if (exited_ && !out_.open() && !error_.open()) deadline_.cancel();
  }

  void end_early(bool& reason) {
    if (exited_ || ending_) return;
    ending_ = true;
    reason = true;
    kill(-group_, command_.stop_signal);
    deadline_.expires_after(command_.grace);
    deadline_.async_wait([this](const auto& failure) {
      if (!failure && !exited_) kill(-group_, SIGKILL);
    });
  }

  const Command& command_;
  asio::io_context context_{1};
  StreamReader out_{context_, command_, [this] { finish_if_drained(); }};
  StreamReader error_{context_, command_, [this] { finish_if_drained(); }};
  asio::steady_timer deadline_{context_};
  std::optional<bp::process> process_;
  pid_t group_ = -1;
  bool exited_ = false;
  bool ending_ = false;
  CommandResult result_;
};

}  // namespace

CommandResult BoostCommandRunner::run(const Command& command, std::stop_token stop) {
  return Run(command).go(stop);
}

}  // namespace pgrehearse
