#include "harness/process/command.hpp"

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

std::string to_text(const Command& command) {
  std::string text = quoted_for_people(command.program);
  for (const auto& argument : command.arguments) text += " " + quoted_for_people(argument);
  return text;
}

}  // namespace pgrehearse
