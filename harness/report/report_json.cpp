#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/report/finding_codes.hpp"
#include "harness/report/report.hpp"
#include "harness/report/report_fields.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

double rounded(double seconds) {
  return std::isfinite(seconds) ? std::round(seconds * 1000) / 1000 : 0;
}

Json json_of(const std::string& text) { return text; }
Json json_of(bool value) { return value; }
Json json_of(std::integral auto number) { return number; }
Json json_of(double seconds) { return rounded(seconds); }
Json json_of(Instant instant) { return to_iso8601(instant); }
Json json_of(Lsn lsn) { return to_text(lsn); }
Json json_of(FindingCode code) { return text_of(code); }
Json json_of(LikelyCause cause) { return name_of(cause); }
Json json_of(Verdict verdict) { return name_of(verdict); }
Json json_of(const std::map<std::string, std::string>& values) {
  Json object = Json::object();
  for (const auto& [key, value] : values) object[key] = value;
  return object;
}

template <typename Record>
requires std::is_class_v<Record> Json json_of(const Record& record);

// What was not measured is absent, never nought.
Json json_of(std::optional<double> seconds) {
  return seconds && std::isfinite(*seconds) ? json_of(*seconds) : Json();
}

template <typename T>
Json json_of(const std::optional<T>& value) {
  return value ? json_of(*value) : Json();
}

template <typename T>
Json json_of(const std::vector<T>& values) {
  Json array = Json::array();
  for (const auto& value : values) array.push_back(json_of(value));
  return array;
}

class FieldWriter {
 public:
  explicit FieldWriter(Json& object) : object_(object) {}

  template <typename T>
  void operator()(const char* key, const T& value) {
    object_[key] = json_of(value);
  }
  template <typename T>
  void required(const char* key, const T& value) {
    (*this)(key, value);
  }
  void constant(const char* key, const std::string& value) { (*this)(key, value); }
  void null_if_empty(const char* key, const std::string& text) {
    object_[key] = text.empty() ? Json() : Json(text);
  }
  // Only what a few drills have.
  template <typename T>
  void unless_empty(const char* key, const std::vector<T>& values) {
    if (!values.empty()) (*this)(key, values);
  }
  // A text: most JSON readers lose digits of a 64-bit number.
  void digits(const char* key, std::uint64_t number) { object_[key] = std::to_string(number); }
  void severity(const char* key, const Finding& finding) {
    object_[key] = name_of(severity_of(finding));
  }
  template <typename Members>
  void group(const char* key, Members members) {
    FieldWriter inner(object_[key]);
    members(inner);
  }

 private:
  Json& object_;
};

template <typename Record>
requires std::is_class_v<Record> Json json_of(const Record& record) {
  Json object = Json::object();
  FieldWriter fields(object);
  visit(fields, record);
  return object;
}

}  // namespace

std::string to_json(const Report& report) {
  return json_of(report).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pgrehearse
