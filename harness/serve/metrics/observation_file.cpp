#include "harness/serve/metrics/observation_file.hpp"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "harness/reporting/reporter.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* suffix = ".json";

fs::path directory_of(const fs::path& state) { return state / "observations"; }

MetricSamples read(const fs::path& file) try {
  std::ifstream in(file);
  MetricSamples samples;
  if (!in.is_open()) return samples;
  for (const auto& entry : Json::parse(in)) {
    samples.push_back({entry.at("metric").get<std::string>(),
                       entry.at("labels").get<std::map<std::string, std::string>>(),
                       entry.at("value").get<double>()});
  }
  return samples;
} catch (const Json::exception&) {
  return {};
}

}  // namespace

void save_observation(const fs::path& state, const std::string& scenario,
                      const MetricSamples& samples) {
  Json list = Json::array();
  for (const auto& sample : samples) {
    list.push_back({{"metric", sample.metric}, {"labels", sample.labels}, {"value", sample.value}});
  }
  std::error_code failure;
  fs::create_directories(directory_of(state), failure);
  write_output_file(directory_of(state) / (scenario + suffix),
                    [&](std::ostream& out) { out << list.dump(1) << '\n'; });
}

MetricSamples load_observation(const fs::path& state, const std::string& scenario) {
  return read(directory_of(state) / (scenario + suffix));
}

MetricSamples load_observations(const fs::path& state) {
  std::error_code failure;
  std::vector<std::pair<fs::file_time_type, fs::path>> files;
  for (const auto& entry : fs::directory_iterator(directory_of(state), failure)) {
    if (entry.path().extension() != suffix) continue;
    files.emplace_back(entry.last_write_time(failure), entry.path());
  }
  std::ranges::sort(files, std::greater<>());
  MetricSamples all;
  for (const auto& [time, file] : files) {
    auto samples = read(file);
    std::ranges::move(samples, std::back_inserter(all));
  }
  return all;
}

}  // namespace pgrehearse
