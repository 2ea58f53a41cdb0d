#include "harness/reporting/palette.hpp"

namespace pgrehearse {

std::string Palette::paint(std::string_view code, std::string_view text) const {
  if (!color_ || text.empty()) return std::string(text);
  return std::string("\x1b[").append(code).append("m").append(text).append("\x1b[0m");
}

std::string Palette::of(Verdict verdict, std::string_view text) const {
  switch (verdict) {
    case Verdict::pass:
      return paint("32", text);
    case Verdict::fail:
      return paint("1;31", text);
    case Verdict::unknown:
      return paint("33", text);
    case Verdict::skipped:
      return dim(text);
  }
  return std::string(text);
}

std::string_view shown_name_of(Verdict verdict) {
  return verdict == Verdict::fail ? "FAIL" : name_of(verdict);
}

}  // namespace pgrehearse
