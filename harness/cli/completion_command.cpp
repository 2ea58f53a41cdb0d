#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "harness/cli/commands.hpp"
#include "harness/cli/options.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

struct CompletedOption {
  std::string name;  // without dashes
  std::string summary;
  bool takes_value = false;
};

struct CompletedCommand {
  std::string name;
  std::string summary;
  std::vector<CompletedOption> options;
};

std::vector<CompletedCommand> commands_of(const CLI::App& app) {
  std::vector<CompletedCommand> commands;
  for (const auto& row : command_table()) {
    CompletedCommand command{std::string(row.name), std::string(row.summary), {}};
    for (const auto* option : app.get_subcommand(command.name)->get_options()) {
      for (const auto& name : option->get_lnames()) {
        command.options.push_back(
            {name, option->get_description(), option->get_items_expected() > 0});
      }
    }
    commands.push_back(std::move(command));
  }
  return commands;
}

// Quoted with single quotes, which all three shells accept.
std::string shell_quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string bash_script(const std::vector<CompletedCommand>& commands) {
  std::string names;
  std::string cases;
  for (const auto& command : commands) {
    names += command.name + " ";
    std::string options;
    for (const auto& option : command.options) options += "--" + option.name + " ";
    cases += fmt::format("    {}) words={} ;;\n", command.name, shell_quoted(trim(options)));
  }
  return fmt::format(R"(# bash completion for pgrehearse
_pgrehearse() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} command= word words=
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case " {0} " in *" $word "*) command=$word; break ;; esac
  done
  case "$command" in
    "") words='{0}' ;;
    completion) words='bash zsh fish' ;;
    help) words='{0}' ;;
  esac
  [[ $current == -* ]] && case "$command" in
{1}  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -o bashdefault -o default -F _pgrehearse pgrehearse
)",
                     trim(names), cases);
}

std::string zsh_script(const std::vector<CompletedCommand>& commands) {
  std::string names;
  std::string cases;
  for (const auto& command : commands) {
    names += fmt::format("    {}\n", shell_quoted(command.name + ":" + command.summary));
    cases += fmt::format("    {})\n      _arguments", command.name);
    for (const auto& option : command.options) {
      std::string summary;
      for (const char c : option.summary) {
        if (c == '[' || c == ']' || c == ':') summary += '\\';
        summary += c;
      }
      cases += fmt::format(" \\\n        {}",
                           shell_quoted(fmt::format("--{}[{}]{}", option.name, summary,
                                                    option.takes_value ? ":value:_files" : "")));
    }
    cases += " \\\n        '*:argument:_files' ;;\n";
  }
  return fmt::format(R"(#compdef pgrehearse
_pgrehearse() {{
  local -a commands
  commands=(
{})
  if (( CURRENT == 2 )); then
    _describe 'command' commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
{}  esac
}}
compdef _pgrehearse pgrehearse
)",
                     names, cases);
}

std::string fish_script(const std::vector<CompletedCommand>& commands) {
  std::string script = "# fish completion for pgrehearse\n";
  for (const auto& command : commands) {
    script += fmt::format("complete -c pgrehearse -n __fish_use_subcommand -f -a {} -d {}\n",
                          command.name, shell_quoted(command.summary));
    for (const auto& option : command.options) {
      script += fmt::format(
          "complete -c pgrehearse -n '__fish_seen_subcommand_from {}' -l {}{} -d {}\n",
          command.name, option.name, option.takes_value ? " -r" : "", shell_quoted(option.summary));
    }
  }
  return script;
}

}  // namespace

CommandAction configure_completion(CLI::App& command, const CommonOptions& /*common*/) {
  auto shell = std::make_shared<std::string>();
  command.add_option("shell", *shell, "bash, zsh or fish")
      ->type_name("SHELL")
      ->required()
      ->check(one_of({"bash", "zsh", "fish"}));
  return [&app = *command.get_parent(), shell](const std::stop_token&) {
    const auto commands = commands_of(app);
    std::cout << (*shell == "bash"  ? bash_script(commands)
                  : *shell == "zsh" ? zsh_script(commands)
                                    : fish_script(commands));
    return ExitCode::pass;
  };
}

}  // namespace pgrehearse
