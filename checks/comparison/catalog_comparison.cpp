#include "checks/comparison/catalog_comparison.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "harness/primary/fingerprint/raw_names.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t longest_value = 80;

std::string shown(const Json& value) {
  auto text = value.is_string() ? value.get<std::string>()
                                : value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > longest_value) text = text.substr(0, longest_value) + "...";
  return text;
}

void add_differences(const Json& expected, const Json& actual, const std::string& path,
                     std::string& text) {
  if (expected == actual) return;
  if (expected.is_object() && actual.is_object()) {
    std::set<std::string> keys;
    for (const auto& [key, value] : expected.items()) keys.insert(key);
    for (const auto& [key, value] : actual.items()) keys.insert(key);
    const auto prefix = path.empty() ? "" : path + ".";
    for (const auto& key : keys) {
      add_differences(expected.contains(key) ? expected[key] : Json(nullptr),
                      actual.contains(key) ? actual[key] : Json(nullptr),
                      std::string(prefix).append(key), text);
    }
    return;
  }
  text += text.empty() ? "" : "; ";
  if (actual.is_null()) {
    text += fmt::format("{} is missing ({})", path, shown(expected));
  } else if (expected.is_null()) {
    text += fmt::format("{} is extra ({})", path, shown(actual));
  } else {
    text += fmt::format("{} is {} instead of {}", path, shown(actual), shown(expected));
  }
}

}  // namespace

void CatalogMerge::push(const CatalogEntry& actual) {
  while (const auto* expected = expected_.peek()) {
    if (expected->identity > actual.identity) break;
    if (expected->identity == actual.identity) {
      if (expected->definition != actual.definition) differences_.changed(*expected, actual);
      expected_.pop();
      return;
    }
    differences_.missing(*expected);
    expected_.pop();
  }
  differences_.extra(actual);
}

void CatalogMerge::finish() {
  while (const auto* expected = expected_.peek()) {
    differences_.missing(*expected);
    expected_.pop();
  }
}

std::string difference_of(const std::string& expected, const std::string& actual) {
  std::string text;
  try {
    add_differences(Json::parse(escape_raw_bytes(expected)), Json::parse(escape_raw_bytes(actual)),
                    "", text);
  } catch (const Json::exception&) {
    text = "its definition";
  }
  return text;
}

}  // namespace pgrehearse
