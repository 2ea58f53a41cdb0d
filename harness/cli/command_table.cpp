#include "harness/cli/command_table.hpp"

#include <array>

#include "harness/cli/commands.hpp"

namespace pgrehearse {

std::span<const CommandDescription> command_table() {
  static constexpr auto table = std::to_array<CommandDescription>({
      {"report", "show an old run again, in any format",
       "pgrehearse report\n"
       "pgrehearse report weekly-orders\n"
       "pgrehearse report latest --format junit --output drill.xml",
       configure_report},
      {"history", "list the runs, newest first, with verdict and diagnosis",
       "pgrehearse history\n"
       "pgrehearse history weekly-orders --limit 5\n"
       "pgrehearse history --format json",
       configure_history},
      {"checks", "list the checks that a scenario can name",
       "pgrehearse checks\n"
       "pgrehearse checks amcheck --format json",
       configure_checks},
      {"completion", "print the completion script of a shell",
       "pgrehearse completion bash > /etc/bash_completion.d/pgrehearse\n"
       "pgrehearse completion zsh > \"${fpath[1]}/_pgrehearse\"\n"
       "pgrehearse completion fish > ~/.config/fish/completions/pgrehearse.fish",
       configure_completion},
      {"version", "print the version of pgrehearse and of what it is built with",
       "pgrehearse version\n"
       "pgrehearse version --format json",
       configure_version},
      {"help", "explain a command",
       "pgrehearse help\n"
       "pgrehearse help version",
       configure_help},
  });
  return table;
}

}  // namespace pgrehearse
