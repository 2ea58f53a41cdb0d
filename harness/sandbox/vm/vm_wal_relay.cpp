#include "harness/sandbox/vm/vm_wal_relay.hpp"

#include <spdlog/spdlog.h>

#include "harness/agent/protocol.hpp"
#include "harness/common/error.hpp"

namespace pgrehearse {

namespace {

constexpr auto short_time = std::chrono::seconds(60);
constexpr auto longer_than_any_drill = std::chrono::hours(24 * 7);

Command in_shell(const std::string& script, std::vector<std::string> words,
                 std::chrono::milliseconds timeout) {
  words.insert(words.begin(), {"-c", script});
  return {.program = "/bin/sh",
          .arguments = std::move(words),
          .environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}},
          .timeout = timeout,
          .grace = std::chrono::milliseconds(0),
          .keep_output = std::size_t{1} << 14U};
}

}  // namespace

VmWalRelay::VmWalRelay(AgentCommandRunner& inside, Sandbox& sandbox, WalRequests::Run run)
    : inside_(inside),
      files_(wal_relay_files(sandbox.paths().configuration)),
      received_(std::move(run)) {
  sandbox.write_file(files_.script, wal_client_script(files_));
  for (const auto& pipe : {files_.requests, files_.answers}) {
    const auto made = inside_.run({.program = std::string(agent::self_path),
                                   .arguments = {"pipe", pipe.string()},
                                   .timeout = short_time},
                                  {});
    if (made.succeeded()) continue;
    throw Error(ErrorKind::environment, "cannot create a named pipe: " + made.error_output, {},
                FindingCode::env_vm, pipe.string());
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

VmWalRelay::~VmWalRelay() {
  thread_.request_stop();
  thread_.join();
  try {
    inside_.run(in_shell("rm -f \"$0\" \"$1\"", {files_.requests, files_.answers}, short_time), {});
  } catch (const std::exception& error) {
    // The machine has ended.
    spdlog::debug("{}", error.what());
  }
}

void VmWalRelay::serve(const std::stop_token& stop) {
  // It holds both pipes open: a request is not lost, and writing an answer does not block.
  auto reading = in_shell("exec cat <>\"$0\" 3<>\"$1\"", {files_.requests, files_.answers},
                          longer_than_any_drill);
  reading.on_line = [&](std::string_view line) {
    const auto text = received_.answer(line, stop);
    if (text.empty()) return;
    inside_.run(in_shell("printf '%s' \"$0\" >\"$1\"", {text, files_.answers}, short_time), stop);
  };
  try {
    inside_.run(reading, stop);
  } catch (const std::exception& error) {
    // The machine has ended; the drill finds out by itself.
    spdlog::debug("{}", error.what());
  }
}

}  // namespace pgrehearse
