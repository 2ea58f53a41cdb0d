#include "harness/serve/metrics/metrics_text.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "harness/serve/metrics/metric_table.hpp"

namespace pgrehearse {

std::string metrics_text(const MetricSamples& samples) {
  // Metric -> labels -> value.
  std::map<std::string_view, std::map<std::map<std::string, std::string>, double>> values;
  for (const auto& sample : samples) values[sample.metric].emplace(sample.labels, sample.value);
  std::vector<prometheus::MetricFamily> families;
  for (const auto& metric : metric_table()) {
    const auto found = values.find(metric.name);
    if (found == values.end()) continue;
    prometheus::MetricFamily family{.name = std::string(metric.name),
                                    .help = std::string(metric.help),
                                    .type = prometheus::MetricType::Gauge,
                                    .metric = {}};
    for (const auto& [labels, value] : found->second) {
      prometheus::ClientMetric line;
      for (const auto& [name, text] : labels) line.label.push_back({name, text});
      line.gauge.value = value;
      family.metric.push_back(std::move(line));
    }
    families.push_back(std::move(family));
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return out.str();
}

}  // namespace pgrehearse
