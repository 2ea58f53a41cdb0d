#include "harness/scenario/language/named_item.hpp"

#include <fmt/format.h>

#include "harness/scenario/language/section_reader.hpp"

namespace pgrehearse {

std::optional<NamedItem> read_named_item(const YamlNode& node, const ItemWords& words,
                                         std::vector<ScenarioError>& errors) {
  if (node.kind == YamlNode::Kind::scalar) return NamedItem{node.written, node.position, nullptr};
  if (node.kind == YamlNode::Kind::unusable) return {};
  if (node.kind != YamlNode::Kind::map || node.entries.empty()) {
    errors.push_back({node.position,
                      fmt::format("a {} must be a name, or a name with settings, not {}",
                                  words.noun, described(node)),
                      std::string(words.example)});
    return {};
  }
  const auto& first = node.entries.front();
  if (node.entries.size() > 1) {
    const auto& second = node.entries[1];
    const bool flat = first.value.kind == YamlNode::Kind::null;
    errors.push_back(
        {second.key_position,
         fmt::format("'{}' is on the same level as the {} '{}'", second.key, words.noun, first.key),
         flat ? fmt::format("indent the settings of '{}' more than its name", first.key)
              : fmt::format("start each {} with its own dash", words.noun)});
    return {};
  }
  return NamedItem{first.key, first.key_position, &first.value};
}

}  // namespace pgrehearse
