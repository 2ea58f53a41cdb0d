#include "harness/reporting/formats.hpp"

namespace pgrehearse {

void write_json(const Report& report, const RenderOptions& /*options*/, std::ostream& out) {
  out << to_json(report);
}

}  // namespace pgrehearse
