// What pgBackRest says on its consoles, read for its decisive words. How a failure is judged
// belongs in pgbackrest_exit_code.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

// `text` fit for messages and for JSON: control characters and bytes that are no UTF-8 become '?'.
// A wrong passphrase makes pgBackRest print what it decrypted (measured with 2.45).
std::string replace_unreadable(std::string_view text);
// The same on one line of at most `length` bytes, cut before a run of unreadable bytes.
std::string excerpt(std::string_view text, std::size_t length = 300);

// The first error that pgBackRest reported, or all empty.
struct ToolMessage {
  int code = 0;                       // 29 of "ERROR: [029]: ..."
  std::string text;                   // the line, from its "[029]" on
  std::vector<std::string> details;   // what it says below it, hints left out
  std::vector<std::string> warnings;  // "WARN:" lines before it, with what is below them
  std::vector<std::string> hints;     // its own "HINT:" lines
  std::string file;                   // the first file that it names; empty where it names none

  // All of the words above, to search in.
  [[nodiscard]] bool mentions(std::string_view words) const;
  // "[029]: raised from local-1 protocol: lz4 error ..." with the details that add to it.
  [[nodiscard]] std::string decisive() const;
};

// Reads console output with or without timestamps and process ids in front of the lines.
ToolMessage parse_tool_message(std::string_view output);

}  // namespace pgrehearse
