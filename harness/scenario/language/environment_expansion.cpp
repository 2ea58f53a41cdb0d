#include <fmt/format.h>

#include <cstdlib>

#include "harness/scenario/language/yaml_source.hpp"

namespace pgrehearse {

namespace {

bool is_name(std::string_view word) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  constexpr std::string_view rest =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  return !word.empty() && letters.find(word.front()) != std::string_view::npos &&
         word.find_first_not_of(rest) == std::string_view::npos;
}

// The expanded text of `written`; sets `error` if it cannot be expanded.
std::string expanded(std::string_view written, ScenarioError& error) {
  std::string text;
  while (true) {
    const auto dollar = written.find("${");
    if (dollar == std::string_view::npos) return text.append(written);
    const bool escaped = dollar > 0 && written[dollar - 1] == '$';
    if (escaped) {
      text.append(written.substr(0, dollar - 1)).append("${");
      written.remove_prefix(dollar + 2);
      continue;
    }
    text.append(written.substr(0, dollar));
    written.remove_prefix(dollar + 2);
    const auto close = written.find('}');
    if (close == std::string_view::npos || !is_name(written.substr(0, close))) {
      error.message = "'${' is not followed by the name of an environment variable and '}'";
      error.hint = "write $${ for a literal ${";
      return text;
    }
    const std::string name(written.substr(0, close));
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) {
      error.message = fmt::format("environment variable '{}' is not set", name);
      error.hint = fmt::format(
          "export {} before starting pgrehearse, or write $${{ for a literal ${{", name);
      return text;
    }
    text.append(value);
    written.remove_prefix(close + 1);
  }
}

}  // namespace

void expand_environment(YamlNode& node, std::vector<ScenarioError>& errors) {
  for (auto& item : node.items) expand_environment(item, errors);
  for (auto& entry : node.entries) expand_environment(entry.value, errors);
  if (node.kind != YamlNode::Kind::scalar) return;
  ScenarioError error{.position = node.position};
  node.text = expanded(node.written, error);
  if (error.message.empty()) return;
  node.kind = YamlNode::Kind::unusable;
  errors.push_back(std::move(error));
}

}  // namespace pgrehearse
