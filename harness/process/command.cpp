#include "harness/process/command.hpp"

#include <algorithm>

#include "harness/common/error.hpp"
#include "harness/common/shell_words.hpp"

extern char** environ;

namespace pgrehearse {

namespace {

// `option`: without the prefix, "REPO1_PATH".
bool says_how_the_repository_is_reached(std::string_view option) {
  constexpr std::string_view beginnings[] = {
      "CONFIG", "CMD",        "BUFFER_SIZE", "COMPRESS_LEVEL", "SCK_",
      "TCP_",   "IO_TIMEOUT", "DB_TIMEOUT",  "JOB_",           "PROTOCOL_TIM"};
  if (std::ranges::any_of(beginnings, [&](auto begin) { return option.starts_with(begin); })) {
    return true;
  }
  // REPO alone selects a repository: repository.key does that.
  return option.starts_with("REPO") && option.size() > 4 &&
         (option[4] == '_' || (option[4] >= '0' && option[4] <= '9'));
}

}  // namespace

void throw_if_cancelled(const CommandResult& result) {
  if (result.cancelled) throw Error(ErrorKind::interrupted, "interrupted");
}

std::map<std::string, std::string> pgbackrest_variables() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable(*entry);
    constexpr std::string_view prefix = "PGBACKREST_";
    const auto equals = variable.find('=');
    if (!variable.starts_with(prefix) || equals == std::string_view::npos) continue;
    if (!says_how_the_repository_is_reached(variable.substr(prefix.size()))) continue;
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
