#include "harness/process/command.hpp"

#include "harness/common/error.hpp"

extern char** environ;

namespace pgrehearse {

namespace {

std::string quoted_for_people(const std::string& word) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

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
  std::string text = quoted_for_people(command.program);
  for (const auto& argument : command.arguments) text += " " + quoted_for_people(argument);
  return text;
}

}  // namespace pgrehearse
