#include "harness/process/command.hpp"

#include "harness/common/error.hpp"
#include "harness/common/shell_words.hpp"

extern char** environ;

namespace pgrehearse {

void throw_if_cancelled(const CommandResult& result) {
  if (result.cancelled) throw Error(ErrorKind::interrupted, "interrupted");
}

std::map<std::string, std::string> pgbackrest_variables() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable(*entry);
    if (!variable.starts_with("PGBACKREST_")) continue;
    const auto equals = variable.find('=');
    variables[std::string(variable.substr(0, equals))] = variable.substr(equals + 1);
  }
  return variables;
}

std::string to_text(const Command& command) {
  std::string text = shell_word(command.program);
  for (const auto& argument : command.arguments) text += " " + shell_word(argument);
  return text;
}

}  // namespace pgrehearse
