// What became of each notification of a drill, as stored in its run directory.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

enum class Delivery {
  sent,
  failed,
  not_due,  // because of `when` or `verdicts`
};
std::string_view name_of(Delivery delivery);

struct Outcome {
  std::string channel;
  std::string name;
  Delivery delivery = Delivery::failed;
  int attempts = 0;
  double seconds = 0;
  std::string reason;  // why it failed, without secrets; or why it was not sent
};

// Replaces .notifications.json in the run directory. Throws Error(environment, env_state).
void save_outcomes(std::span<const Outcome> outcomes, const std::filesystem::path& run_directory);
// Empty if there are none, or the file cannot be read.
std::vector<Outcome> load_outcomes(const std::filesystem::path& run_directory);

// A JSON array.
std::string to_json(std::span<const Outcome> outcomes);

}  // namespace pgrehearse
