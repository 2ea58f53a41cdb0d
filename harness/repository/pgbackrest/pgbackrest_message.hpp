// Parses pgBackRest's console output. Classification of failures belongs in pgbackrest_exit_code.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

// `text` for messages and JSON: control characters and invalid UTF-8 become '?'. With a wrong
// passphrase, pgBackRest prints undecryptable data (measured with 2.45).
std::string replace_unreadable(std::string_view text);
// The same on one line of at most `length` bytes, cut before a run of unreadable bytes.
std::string excerpt(std::string_view text, std::size_t length = 300);

// The first error that pgBackRest reported; empty without one.
struct ToolMessage {
  int code = 0;                       // 29 of "ERROR: [029]: ..."
  std::string text;                   // the line from "[029]" on
  std::vector<std::string> details;   // the lines below it, without hints
  std::vector<std::string> warnings;  // "WARN:" lines before it, with the lines below them
  std::vector<std::string> hints;     // "HINT:" lines
  std::string file;                   // the first file named; empty: none

  // Whether any of the texts above contains `words`.
  [[nodiscard]] bool mentions(std::string_view words) const;
  // "[029]: raised from local-1 protocol: lz4 error ..." with the details that add to it.
  [[nodiscard]] std::string decisive() const;
};

// Parses console output with or without timestamps and process ids at the start of lines.
ToolMessage parse_tool_message(std::string_view output);

}  // namespace pgrehearse
