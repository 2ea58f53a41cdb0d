// One sample of a metric.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace pgrehearse {

struct MetricSample {
  std::string metric;  // a name from the metric table
  std::map<std::string, std::string> labels;
  double value = 0;
  bool operator==(const MetricSample&) const = default;
};
using MetricSamples = std::vector<MetricSample>;

}  // namespace pgrehearse
