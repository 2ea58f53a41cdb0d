// MetricSamples in Prometheus' text format.
#pragma once

#include <string>

#include "harness/serve/metrics/sample.hpp"

namespace pgrehearse {

// Families in the order of the metric table. Of several samples with the same labels, the first is
// used; samples of unknown metrics are left out.
std::string metrics_text(const MetricSamples& samples);

// The content type of that text.
inline constexpr const char* metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace pgrehearse
