#include "harness/scenario/language/stored_scenario.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <regex>

namespace pgrehearse {

namespace {

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool is_secret_key(std::string_view key) {
  return key == "password" || key == "passphrase" || key == "token" || key == "secret";
}

// Passwords in a libpq connection string or in a URL.
std::string without_passwords(const std::string& text) {
  static const std::regex keyword(R"re((password\s*=\s*)('(\\.|[^'\\])*'|[^\s&]+))re",
                                  std::regex::icase);
  static const std::regex url(R"re((://[^:/@\s]*:)[^@/\s]+@)re");
  const auto once = std::regex_replace(text, keyword, "$1***");
  return std::regex_replace(once, url, "$1***@");
}

std::string scalar(const YamlNode& node, std::string_view key) {
  static const std::regex variable(R"re(\$\{\w+\})re");
  if (is_secret_key(key) && !std::regex_match(node.written, variable)) return quoted("***");
  static const std::regex plain("[A-Za-z0-9_./-][A-Za-z0-9_./+-]*");
  const auto text = without_passwords(node.written);
  const bool bare = !node.quoted && std::regex_match(text, plain);
  return bare ? text : quoted(text);
}

void write(const YamlNode& node, std::string_view key, const std::string& indent,
           std::string& text) {
  const auto inner = indent + "  ";
  switch (node.kind) {
    case YamlNode::Kind::null:
    case YamlNode::Kind::unusable:
      text += " null\n";
      return;
    case YamlNode::Kind::scalar:
      text += " " + scalar(node, key) + "\n";
      return;
    case YamlNode::Kind::sequence:
      text += node.items.empty() ? " []\n" : "\n";
      for (const auto& item : node.items) {
        text += inner + "-";
        write(item, key, inner, text);
      }
      return;
    case YamlNode::Kind::map:
      text += node.entries.empty() ? " {}\n" : "\n";
      for (const auto& entry : node.entries) {
        static const std::regex plain("[A-Za-z_][A-Za-z0-9_.-]*");
        text += inner + (std::regex_match(entry.key, plain) ? entry.key : quoted(entry.key)) + ":";
        write(entry.value, entry.key, inner, text);
      }
      return;
  }
}

// A secret in an override must not be stored either; the tree below has its effect.
std::string override_key(const std::string& text) { return text.substr(0, text.find('=')); }

}  // namespace

std::string stored_scenario(const YamlNode& root, const std::string& file,
                            std::span<const std::string> overrides) {
  std::string text =
      fmt::format("# The scenario of this drill: {}, overrides applied, passwords removed.\n",
                  file.empty() ? "no file" : quoted(file));
  for (const auto& each : overrides)
    text += fmt::format("# --set {}\n", quoted(override_key(each)));
  std::string body;
  write(root, "", "", body);
  // The keys of the scenario are not indented.
  std::string line;
  for (std::size_t at = body.starts_with('\n') ? 1 : 0; at < body.size();) {
    const auto end = body.find('\n', at);
    line = body.substr(at, end - at);
    text += (line.starts_with("  ") ? line.substr(2) : line) + "\n";
    at = end + 1;
  }
  return text;
}

}  // namespace pgrehearse
