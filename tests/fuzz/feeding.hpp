// Functions shared by the feeds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "harness/common/error.hpp"

namespace pgrehearse {

// Runs `parse`, which may reject its input.
template <typename Parse>
void may_refuse(const Parse& parse) {
  try {
    parse();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) throw;
  }
}

// A condition that must hold for any input.
inline void must(bool holds, const char* what) {
  if (holds) return;
  std::cerr << "does not hold: " << what << '\n';
  std::abort();
}

// An input for several parsers: its parts are separated by zero bytes; missing parts are empty, and
// the last part is the whole rest.
template <std::size_t count>
std::array<std::string_view, count> parts_of(std::string_view input) {
  std::array<std::string_view, count> parts;
  for (std::size_t part = 0; part < count; ++part) {
    const auto end = part + 1 == count ? std::string_view::npos : input.find('\0');
    parts[part] = input.substr(0, end);
    input = end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
  }
  return parts;
}

}  // namespace pgrehearse
