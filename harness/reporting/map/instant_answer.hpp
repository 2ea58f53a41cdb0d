// The answer to `map --at`, as text and JSON.
#pragma once

#include <ostream>

#include "harness/map/recoverable_at.hpp"
#include "harness/report/forecast.hpp"
#include "harness/reporting/map/map_formats.hpp"

namespace pgrehearse {

struct ShownAnswer {
  const RecoveryMap& map;
  const InstantAnswer& answer;
  Instant at;
  std::optional<ExpectedRecovery> expected;  // absent: no drill of the stanza has passed
};

void write_answer_text(const ShownAnswer& shown, const MapRenderOptions& options,
                       std::ostream& out);
// Schema "pgrehearse.instant/1".
void write_answer_json(const ShownAnswer& shown, std::ostream& out);

}  // namespace pgrehearse
