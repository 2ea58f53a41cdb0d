#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <iostream>
#include <system_error>

#include "harness/cli/command_table.hpp"
#include "harness/cli/options.hpp"
#include "harness/cli/signal_watch.hpp"
#include "harness/cli/state_directory.hpp"
#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/common/version.hpp"
#include "harness/reporting/printable.hpp"
#include "harness/reporting/terminal.hpp"
#include "harness/scenario/language/scenario_errors.hpp"

namespace pgrehearse {

namespace {

// CLI11's formatter puts two empty lines between groups; this one puts one.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() {
    label("SUBCOMMAND", "COMMAND");
    column_width(28);
  }

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    std::string help = CLI::Formatter::make_help(app, std::move(name), mode);
    for (auto gap = help.find("\n\n\n"); gap != std::string::npos; gap = help.find("\n\n\n")) {
      help.erase(gap, 1);
    }
    return help;
  }
};

constexpr std::string_view bug_hint =
    "this is a bug in pgrehearse; please report it with the command line and the log";

void print_error(std::string_view message, std::string_view hint, const CommonOptions& common) {
  const bool color = wants_color(STDERR_FILENO, common.no_color);
  std::cout.flush();
  std::cerr << (color ? "\033[1;31merror:\033[0m " : "error: ") << printable_lines(message) << '\n';
  if (hint.empty()) return;
  std::cerr << (color ? "\033[1;36mhint:\033[0m " : "hint: ") << printable_lines(hint) << '\n';
}

// Log lines quote servers and files.
class PrintableFormatter final : public spdlog::formatter {
 public:
  explicit PrintableFormatter(std::unique_ptr<spdlog::formatter> inner)
      : inner_(std::move(inner)) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& into) override {
    const auto text = printable({message.payload.data(), message.payload.size()});
    auto shown = message;
    shown.payload = text;
    inner_->format(shown, into);
    message.color_range_start = shown.color_range_start;
    message.color_range_end = shown.color_range_end;
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<PrintableFormatter>(inner_->clone());
  }

 private:
  std::unique_ptr<spdlog::formatter> inner_;
};

void start_logging(const CommonOptions& common) {
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(
      wants_color(STDERR_FILENO, common.no_color) ? spdlog::color_mode::always
                                                  : spdlog::color_mode::never);
  auto logger = std::make_shared<spdlog::logger>("pgrehearse", std::move(sink));
  logger->set_formatter(std::make_unique<PrintableFormatter>(
      std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$: %v")));
  logger->set_level(spdlog::level::from_str(common.log_level));
  if (common.quiet && logger->level() < spdlog::level::err) logger->set_level(spdlog::level::err);
  spdlog::set_default_logger(std::move(logger));
}

// Skips options that the command defines itself, such as --format of `report`.
void add_common_options(CLI::App& app, CommonOptions& common) {
  const auto absent = [&](const char* name) { return app.get_option_no_throw(name) == nullptr; };
  const char* group = "Common options";
  if (absent("--state")) {
    app.add_option("--state", common.state,
                   "directory for runs and sandboxes [/var/lib/pgrehearse for root and postgres, "
                   "else ~/.local/state/pgrehearse]")
        ->type_name("DIR")
        ->group(group);
  }
  if (absent("--format")) {
    app.add_option("--format", common.format, "text or json [text]")
        ->type_name("FORMAT")
        ->check(one_of({"text", "json"}))
        ->group(group);
  }
  if (absent("--log-level")) {
    app.add_option("--log-level", common.log_level, "trace, debug, info, warn, error or off [warn]")
        ->type_name("LEVEL")
        ->check(one_of({"trace", "debug", "info", "warn", "error", "off"}))
        ->group(group);
  }
  if (absent("--no-color")) {
    app.add_flag("--no-color", common.no_color, "disable colors (also with NO_COLOR=1)")
        ->group(group);
  }
  if (absent("--quiet")) {
    app.add_flag("-q,--quiet", common.quiet, "no progress output, no warnings")->group(group);
  }
  if (absent("--verbose")) {
    app.add_flag("-v,--verbose", common.verbose,
                 "text reports: also what passing checks found, and every phase")
        ->group(group);
  }
}

struct ConfiguredCommand {
  const CLI::App* app = nullptr;
  CommandAction action;
};

std::vector<ConfiguredCommand> add_commands(CLI::App& app, CommonOptions& common) {
  std::vector<ConfiguredCommand> commands;
  for (const auto& row : command_table()) {
    CLI::App* command = app.add_subcommand(std::string(row.name), std::string(row.summary));
    command->group("Commands");
    command->set_help_flag("-h,--help", "show this help");
    commands.push_back({command, row.configure(*command, common)});
    add_common_options(*command, common);
    std::string examples(row.explanation);
    if (!examples.empty()) examples += "\n\n";
    examples += "Examples:";
    for (const auto line : lines_of(row.example)) examples += fmt::format("\n  {}", line);
    command->footer(examples);
  }
  return commands;
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

// CLI11 only reports an unexpected word; this adds what kind of word it is and the nearest match.
[[noreturn]] void throw_unexpected_word(const CLI::App& app, const std::string& word) {
  const auto parsed = app.get_subcommands();
  const CLI::App& context = parsed.empty() ? app : *parsed.front();
  const std::string help = context.get_parent() == nullptr
                               ? "pgrehearse --help"
                               : "pgrehearse " + context.get_name() + " --help";
  if (word.starts_with('-') && word != "-") {
    const std::string name = word.substr(0, word.find('='));
    const auto near = nearest(name, option_names(context));
    throw Error(ErrorKind::usage, fmt::format("unknown option '{}'", name),
                near ? fmt::format("did you mean '{}'?", *near)
                     : fmt::format("'{}' lists the options", help));
  }
  if (!parsed.empty()) {
    throw Error(ErrorKind::usage, fmt::format("unexpected argument '{}'", word),
                fmt::format("see '{}'", help));
  }
  std::vector<std::string> names;
  for (const auto& row : command_table()) names.emplace_back(row.name);
  const auto near = nearest(word, names);
  throw Error(ErrorKind::usage, fmt::format("unknown command '{}'", word),
              near ? fmt::format("did you mean '{}'?", *near)
                   : std::string("'pgrehearse --help' lists the commands"));
}

[[noreturn]] void throw_usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const auto unexpected = app.remaining(true);
  if (!unexpected.empty()) throw_unexpected_word(app, unexpected.front());
  std::string message = error.what();
  if (!message.empty()) {
    message.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(message.front())));
  }
  const auto parsed = app.get_subcommands();
  const std::string command = parsed.empty() ? "" : parsed.front()->get_name() + " ";
  throw Error(ErrorKind::usage, message, fmt::format("see 'pgrehearse {}--help'", command));
}

// An exit code if there is nothing more to do.
std::optional<ExitCode> parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return ExitCode::pass;
  } catch (const CLI::CallForVersion& version) {
    std::cout << version.what() << '\n';
    return ExitCode::pass;
  } catch (const CLI::ParseError& error) {
    throw_usage_error(app, error);
  }
  if (app.get_subcommands().empty()) {
    throw Error(ErrorKind::usage, "no command given", "'pgrehearse --help' lists the commands");
  }
  return {};
}

ExitCode run_parsed(int argc, char** argv, CommonOptions& common, const std::stop_token& stop) {
  CLI::App app(
      "Rehearse PostgreSQL recovery: restore a backup into a disposable sandbox, replay WAL, "
      "verify the\n"
      "result, report, clean up.",
      "pgrehearse");
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_help_flag("-h,--help", "show this help");
  app.set_version_flag("--version", fmt::format("pgrehearse {}", pgrehearse_version()),
                       "show the version");
  app.require_subcommand(0, 1);
  const auto commands = add_commands(app, common);
  add_common_options(app, common);
  app.footer(
      "'pgrehearse COMMAND --help' shows details and examples. First steps: pgrehearse demo.\n"
      "Exit codes: 0 pass, 1 fail, 2 unknown (could not be determined), 3 usage or scenario "
      "error,\n"
      "4 bug in pgrehearse, 130 interrupted.");
  if (const auto done = parse(app, argc, argv)) return *done;
  start_logging(common);
  common.state = resolve_state_directory(common.state);
  for (const auto& command : commands) {
    if (command.app->parsed()) return command.action(stop);
  }
  throw Error(ErrorKind::internal, "the command was parsed but is not in the table");
}

}  // namespace

ExitCode worst_of(std::span<const ExitCode> codes) {
  for (const auto worst :
       {ExitCode::internal, ExitCode::usage, ExitCode::fail, ExitCode::unknown}) {
    if (std::ranges::find(codes, worst) != codes.end()) return worst;
  }
  return ExitCode::pass;
}

int run_command_line(int argc, char** argv) {
  CommonOptions common;
  ExitCode code = ExitCode::internal;
  try {
    SignalWatch signals;
    common.signals = &signals;
    code = run_parsed(argc, argv, common, signals.token());
  } catch (const ScenarioErrors& errors) {
    code = ExitCode::usage;
    for (const auto& entry : errors.entries()) {
      print_error(fmt::format("{}: {}", to_text(entry.position), entry.message), entry.hint,
                  common);
    }
  } catch (const Error& error) {
    code = exit_code_of(error.kind());
    const bool bug = error.kind() == ErrorKind::internal && error.hint().empty();
    print_error(error.what(), bug ? bug_hint : std::string_view(error.hint()), common);
  } catch (const std::system_error& error) {
    code = ExitCode::unknown;
    print_error(error.what(), "", common);
  } catch (const std::exception& error) {
    print_error(fmt::format("unexpected: {}", error.what()), bug_hint, common);
  }
  // A closed pipe, a full disk: nobody has read the result.
  if (!std::cout.flush()) {
    print_error("cannot write to standard output", "write to a file or a pipe that is read",
                common);
    if (code == ExitCode::pass) code = ExitCode::unknown;
  }
  return static_cast<int>(code);
}

}  // namespace pgrehearse
