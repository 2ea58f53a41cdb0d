// Commands that people paste into a shell.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace pgrehearse {

// `word` as sh reads it: in single quotes unless it has only characters that need none.
std::string shell_word(std::string_view word);
// The words of one command, quoted where needed.
std::string shell_command(std::initializer_list<std::string_view> words);

}  // namespace pgrehearse
