#include "checks/parsers/patroni_keys.hpp"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

#include "harness/common/error.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::json;

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string encoded(std::string_view bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto byte = at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0;
      group = (group << 8U) | byte;
    }
    for (std::size_t i = 0; i < 4; ++i) {
      const bool present = at + i <= bytes.size();
      text += present ? alphabet[(group >> (18 - 6 * i)) & 63U] : '=';
    }
  }
  return text;
}

// nullopt: not base64.
std::optional<std::string> decoded(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) return {};
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>((bits >> count) & 255U);
  }
  return bytes;
}

std::string text_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

[[noreturn]] void throw_unusable() {
  throw Error(ErrorKind::environment, "the answer is not one of etcd");
}

void take(const std::string& key, const std::string& value, PatroniKeys& keys) {
  const auto slash = key.rfind('/');
  const auto name = slash == std::string::npos ? key : key.substr(slash + 1);
  const auto parent = slash == std::string::npos ? std::string() : key.substr(0, slash);
  if (parent.ends_with("/members")) {
    const auto member = Json::parse(value, nullptr, false);
    if (!member.is_object()) return;
    keys.members[name] = {.role = text_in(member, "role"), .state = text_in(member, "state")};
  } else if (name == "leader") {
    keys.leader = value;
  } else if (name == "initialize") {
    keys.system_identifier = value;
  }
}

}  // namespace

PatroniKeys parse_patroni_keys(std::string_view body) {
  const auto answer = Json::parse(body, nullptr, false);
  if (!answer.is_object() || !answer.contains("header")) throw_unusable();
  PatroniKeys keys;
  const auto found = answer.find("kvs");
  if (found == answer.end()) return keys;
  if (!found->is_array()) throw_unusable();
  for (const auto& entry : *found) {
    if (!entry.is_object()) throw_unusable();
    const auto key = decoded(text_in(entry, "key"));
    const auto value = decoded(text_in(entry, "value"));
    if (!key || !value) throw_unusable();
    take(*key, *value, keys);
  }
  return keys;
}

std::string keys_below(std::string_view prefix) {
  std::string end(prefix);
  end.back() = static_cast<char>(end.back() + 1);
  return Json{{"key", encoded(prefix)}, {"range_end", encoded(end)}}.dump();
}

}  // namespace pgrehearse
