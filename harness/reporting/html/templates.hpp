// The other files of this folder, embedded in the binary.
#pragma once

#include <string_view>

namespace pgrehearse::embedded {

extern const std::string_view drawing_css;
extern const std::string_view drawing_mustache;
extern const std::string_view report_mustache;
extern const std::string_view report_css;
extern const std::string_view report_js;
extern const std::string_view trend_mustache;

}  // namespace pgrehearse::embedded
