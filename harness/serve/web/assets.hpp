// The files of assets/, embedded in the binary. Pages are what layout.mustache has between its
// header and its end.
#pragma once

#include <string_view>

namespace pgrehearse::embedded {

extern const std::string_view drill_html;
extern const std::string_view evidence_html;
extern const std::string_view fleet_html;
extern const std::string_view layout_mustache;
extern const std::string_view login_html;
extern const std::string_view stanza_html;
extern const std::string_view site_css;
extern const std::string_view site_js;
extern const std::string_view openapi_json;

}  // namespace pgrehearse::embedded
