#include "checks/parsers/checksums_output.hpp"

#include "checks/parsers/labeled_values.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

std::string word(std::string_view text) { return std::string(text.substr(0, text.find(' '))); }

// checksum verification failed in file "F", block N: calculated checksum C but block contains S
std::optional<BadBlock> parse_bad_block(std::string_view line) {
  const auto file = text_after(line, "checksum verification failed in file \"");
  if (!file) return {};
  const auto quote = file->find("\", block ");
  if (quote == std::string_view::npos) return {};
  const auto rest = file->substr(quote);
  const auto number = number_after(rest, "block ");
  if (!number) return {};
  BadBlock bad{.file = std::string(file->substr(0, quote)), .block = *number};
  if (const auto calculated = text_after(rest, "calculated checksum "))
    bad.calculated = word(*calculated);
  if (const auto stored = text_after(rest, "but block contains ")) {
    bad.stored = word(*stored);
  } else if (const auto expected = text_after(rest, "but expected ")) {
    bad.stored = word(*expected);
  }
  return bad;
}

void parse_complaint(std::string_view line, ChecksumsOutput& result) {
  if (const auto bad = parse_bad_block(line)) {
    result.bad_blocks.push_back(*bad);
    return;
  }
  if (line.find("checksums are not enabled") != std::string_view::npos) result.disabled = true;
  if (const auto text = text_after(line, "error: ")) {
    result.errors.emplace_back(*text);
  } else if (line.starts_with("pg_verify_checksums: ")) {
    result.errors.emplace_back(*text_after(line, ": "));
  }
}

}  // namespace

ChecksumsOutput parse_checksums(std::string_view output, std::string_view error_output) {
  ChecksumsOutput result;
  for (const auto line : lines_of(error_output)) parse_complaint(line, result);
  for (const auto line : lines_of(output)) {
    if (const auto files = number_after(line, "Files scanned:")) result.files = *files;
    if (const auto blocks = number_after(line, "Blocks scanned:")) result.blocks = *blocks;
    if (const auto bad = number_after(line, "Bad checksums:")) result.bad = *bad;
  }
  return result;
}

std::optional<ChecksumsProgress> parse_checksums_progress(std::string_view line) {
  if (line.find(" MB (") == std::string_view::npos) return {};
  const auto done = number_at_start(line);
  const auto total = number_after(line, "/");
  if (!done || !total) return {};
  return ChecksumsProgress{.done = *done, .total = *total};
}

}  // namespace pgrehearse
