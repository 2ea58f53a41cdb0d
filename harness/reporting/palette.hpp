// The colors of terminal output, or none.
#pragma once

#include <string>
#include <string_view>

#include "harness/report/verdict.hpp"

namespace pgrehearse {

class Palette {
 public:
  explicit Palette(bool color) : color_(color) {}

  [[nodiscard]] std::string bold(std::string_view text) const { return paint("1", text); }
  [[nodiscard]] std::string dim(std::string_view text) const { return paint("2", text); }
  [[nodiscard]] std::string red(std::string_view text) const { return paint("31", text); }
  [[nodiscard]] std::string yellow(std::string_view text) const { return paint("33", text); }
  // Green, bold red, yellow, dim.
  [[nodiscard]] std::string of(Verdict verdict, std::string_view text) const;

 private:
  [[nodiscard]] std::string paint(std::string_view code, std::string_view text) const;

  bool color_;
};

// "pass", "FAIL", "unknown", "skipped": upper case makes a failure visible without colors.
std::string_view shown_name_of(Verdict verdict);

}  // namespace pgrehearse
