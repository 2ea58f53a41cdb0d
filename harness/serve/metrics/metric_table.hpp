// Every metric that pgrehearse exports. All are gauges: each describes the newest drill of a
// scenario, or a repository when it was last observed. A sample without evidence is absent.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pgrehearse {

struct MetricDescription {
  std::string_view name;
  std::string_view help;
  std::string_view labels;  // for people: "scenario, stanza"
};

// In the order of the output.
std::span<const MetricDescription> metric_table();

// nullptr if there is no metric of this name.
const MetricDescription* find_metric(std::string_view name);

// The table as Markdown.
std::string metric_reference_markdown();

}  // namespace pgrehearse
