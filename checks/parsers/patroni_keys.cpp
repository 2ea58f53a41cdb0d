#include "checks/parsers/patroni_keys.hpp"

#include <nlohmann/json.hpp>

#include "harness/common/error.hpp"
#include "harness/http/base64.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::json;

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
    const auto key = bytes_of_base64(text_in(entry, "key"));
    const auto value = bytes_of_base64(text_in(entry, "value"));
    if (!key || !value) throw_unusable();
    take(*key, *value, keys);
  }
  return keys;
}

std::string keys_below(std::string_view prefix) {
  std::string end(prefix);
  end.back() = static_cast<char>(end.back() + 1);
  return Json{{"key", base64(prefix)}, {"range_end", base64(end)}}.dump();
}

}  // namespace pgrehearse
