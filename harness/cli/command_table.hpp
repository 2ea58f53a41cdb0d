// Every command of pgrehearse, and how a command line becomes an exit code.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "harness/report/verdict.hpp"

namespace CLI {
class App;
}

namespace pgrehearse {

class SignalWatch;

// Options of every command.
struct CommonOptions {
  std::filesystem::path state;  // resolved: --state, or /var/lib/pgrehearse, or $XDG_STATE_HOME/...
  std::string log_level = "warn";
  std::string format = "text";  // or "json"
  bool no_color = false;
  bool quiet = false;
  bool verbose = false;
  SignalWatch* signals = nullptr;  // set before an action is called
};

// Called once the command line is parsed; the token is triggered by SIGINT and SIGTERM.
using CommandAction = std::function<ExitCode(std::stop_token stop)>;

// A row of the command table.
struct CommandDescription {
  std::string_view name;
  std::string_view summary;
  std::string_view example;  // command lines that work, one per line
  // Adds the command's own options to `command` and returns its action. `common` outlives the
  // action and is filled in before the action is called.
  CommandAction (*configure)(CLI::App& command, const CommonOptions& common) = nullptr;
  std::string_view explanation = {};  // paragraphs of its help, shown before the examples
};

std::span<const CommandDescription> command_table();

// The most serious, as the exit code of several actions: a bug, a usage error, fail, unknown, pass.
// Pass for none.
ExitCode worst_of(std::span<const ExitCode> codes);

// From argv to exit code; contains the only top-level catch.
int run_command_line(int argc, char** argv);

}  // namespace pgrehearse
