#include "harness/common/shell_words.hpp"

namespace pgrehearse {

std::string shell_word(std::string_view word) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
  if (!word.empty() && word.find_first_not_of(plain) == std::string_view::npos) {
    return std::string(word);
  }
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string shell_command(std::initializer_list<std::string_view> words) {
  std::string command;
  for (const auto word : words) command += (command.empty() ? "" : " ") + shell_word(word);
  return command;
}

}  // namespace pgrehearse
