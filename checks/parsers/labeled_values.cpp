#include "checks/parsers/labeled_values.hpp"

#include <charconv>

#include "harness/common/text.hpp"

namespace pgrehearse {

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

std::optional<std::uint64_t> number_after(std::string_view line, std::string_view label) {
  const auto text = text_after(line, label);
  return text ? number_at_start(*text) : std::nullopt;
}

}  // namespace pgrehearse
