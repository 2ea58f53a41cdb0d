// A recovery drawing as SVG, for a page or as a file of its own.
#pragma once

#include <string>
#include <vector>

#include "harness/reporting/recovery_drawing.hpp"

namespace pgrehearse {

struct SvgLine {
  std::string kind;  // "title", "small" or empty
  std::string text;
};

// For a page: colors come from its style sheet.
std::string drawing_svg(const RecoveryDrawing& drawing);

// One file, without scripts or external references. `heading` is above the drawing, `notes` below.
std::string drawing_file(const RecoveryDrawing& drawing, const std::string& title,
                         const std::vector<SvgLine>& heading, const std::vector<SvgLine>& notes);

}  // namespace pgrehearse
