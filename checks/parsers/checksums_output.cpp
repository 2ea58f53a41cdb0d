#include "checks/parsers/checksums_output.hpp"

#include <charconv>

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

std::optional<std::uint64_t> number_at_start(std::string_view text) {
  text = trim(text);
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{}) return {};
  return value;
}

std::optional<std::string_view> text_after(std::string_view line, std::string_view label) {
  const auto at = line.find(label);
  if (at == std::string_view::npos) return {};
  return line.substr(at + label.size());
}

std::string word(std::string_view text) { return std::string(text.substr(0, text.find(' '))); }

// checksum verification failed in file "F", block N: calculated checksum C but block contains S
std::optional<BadBlock> parse_bad_block(std::string_view line) {
  const auto file = text_after(line, "checksum verification failed in file \"");
  if (!file) return {};
  const auto quote = file->find("\", block ");
  if (quote == std::string_view::npos) return {};
  const auto rest = file->substr(quote);
  const auto block = text_after(rest, "block ");
  const auto number = block ? number_at_start(*block) : std::nullopt;
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
    if (const auto files = text_after(line, "Files scanned:"))
      result.files = number_at_start(*files);
    if (const auto blocks = text_after(line, "Blocks scanned:")) {
      result.blocks = number_at_start(*blocks);
    }
    if (const auto bad = text_after(line, "Bad checksums:")) result.bad = number_at_start(*bad);
  }
  return result;
}

std::optional<ChecksumsProgress> parse_checksums_progress(std::string_view line) {
  if (line.find(" MB (") == std::string_view::npos) return {};
  const auto total = text_after(line, "/");
  const auto done = number_at_start(line);
  const auto whole = total ? number_at_start(*total) : std::nullopt;
  if (!done || !whole) return {};
  return ChecksumsProgress{.done = *done, .total = *whole};
}

}  // namespace pgrehearse
