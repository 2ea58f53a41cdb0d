// Values as JSON of the API.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "harness/common/units.hpp"

namespace pgrehearse {

inline nlohmann::ordered_json json_of(const std::optional<Instant>& instant) {
  return instant ? nlohmann::ordered_json(to_iso8601(*instant)) : nlohmann::ordered_json();
}
// Seconds.
inline nlohmann::ordered_json json_of(const std::optional<std::chrono::milliseconds>& duration) {
  return duration ? nlohmann::ordered_json(Seconds(*duration).count()) : nlohmann::ordered_json();
}
// Invalid UTF-8 is replaced.
inline std::string text_of(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace pgrehearse
