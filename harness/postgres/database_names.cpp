#include "harness/postgres/database_names.hpp"

#include <algorithm>
#include <cstring>

namespace pgrehearse {

namespace {

template <typename Number>
Number number_at(std::string_view bytes, std::size_t at) {
  Number number = 0;
  if (at + sizeof number <= bytes.size()) std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

constexpr std::size_t page_header = 24;
constexpr std::size_t name_length = 64;  // NAMEDATALEN

void add_name(std::string_view page, std::uint32_t pointer, std::vector<std::string>& names) {
  constexpr std::uint32_t normal = 1;  // LP_NORMAL
  const std::size_t offset = pointer & 0x7FFFU;
  const std::size_t length = pointer >> 17U;
  if (((pointer >> 15U) & 3U) != normal || offset + length > page.size() || length < 24) return;
  const auto row = page.substr(offset, length);
  // HeapTupleHeaderData.t_hoff; the first column is the OID, the second the name.
  const std::size_t begin = static_cast<std::uint8_t>(row[22]) + sizeof(std::uint32_t);
  if (begin + name_length > row.size()) return;
  auto name = row.substr(begin, name_length);
  name = name.substr(0, name.find('\0'));
  if (name.empty() || std::find(names.begin(), names.end(), name) != names.end()) return;
  names.emplace_back(name);
}

}  // namespace

std::optional<std::uint32_t> mapped_file(std::string_view map, std::uint32_t catalog) {
  constexpr std::uint32_t magic = 0x592717;  // RELMAPPER_FILEMAGIC
  constexpr std::size_t first = 8;
  if (map.size() < first || number_at<std::uint32_t>(map, 0) != magic) return {};
  const auto entries = std::min<std::size_t>(number_at<std::uint32_t>(map, 4), map.size() / 8 - 1);
  for (std::size_t entry = 0; entry < entries; ++entry) {
    const auto at = first + entry * 8;
    if (number_at<std::uint32_t>(map, at) == catalog) return number_at<std::uint32_t>(map, at + 4);
  }
  return {};
}

std::vector<std::string> database_names(std::string_view heap_file) {
  std::vector<std::string> names;
  std::size_t size = 0;
  for (std::size_t at = 0; at + page_header <= heap_file.size(); at += size) {
    // pd_pagesize_version: the size in the high byte's units, the layout version in the low byte.
    const std::size_t stored = number_at<std::uint16_t>(heap_file, at + 18) & 0xFF00U;
    size = stored >= 1024 ? stored : 8192;
    const auto page = heap_file.substr(at, size);
    const auto lower = std::min<std::size_t>(number_at<std::uint16_t>(page, 12), page.size());
    for (auto pointer = page_header; pointer + 4 <= lower; pointer += 4) {
      add_name(page, number_at<std::uint32_t>(page, pointer), names);
    }
  }
  return names;
}

std::string quoted_identifier(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + '"';
}

}  // namespace pgrehearse
