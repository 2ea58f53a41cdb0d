#include "harness/primary/patroni_cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/common/error.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::json;

Error not_patroni(const std::string& what) {
  return {ErrorKind::environment, "not a Patroni response: " + what,
          "set patroni.urls to the REST API of the members, for example https://db1:8008",
          FindingCode::primary_no_member};
}

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  if (found->is_number_integer()) return std::to_string(found->get<std::int64_t>());
  return {};
}

bool is_true(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

PatroniRole role_of(std::string_view word) {
  if (word == "leader" || word == "primary" || word == "master") return PatroniRole::leader;
  if (word == "standby_leader") return PatroniRole::standby_leader;
  if (word == "replica" || word == "sync_standby" || word == "quorum_standby") {
    return PatroniRole::replica;
  }
  return PatroniRole::other;
}

PatroniMember member_of(const Json& json) {
  PatroniMember member{.name = text_of(json, "name"),
                       .role_word = text_of(json, "role"),
                       .state = text_of(json, "state"),
                       .host = text_of(json, "host"),
                       .port = text_of(json, "port"),
                       .api_url = text_of(json, "api_url")};
  member.role = role_of(member.role_word);
  // "unknown" if Patroni cannot determine it.
  const auto lag = json.find("lag");
  if (lag != json.end() && lag->is_number_integer() && lag->get<std::int64_t>() >= 0) {
    member.lag = Bytes{lag->get<std::uint64_t>()};
  }
  const auto tags = json.find("tags");
  if (tags != json.end() && tags->is_object()) {
    member.no_load_balance = is_true(*tags, "noloadbalance");
  }
  return member;
}

}  // namespace

bool PatroniMember::runs() const {
  return !host.empty() &&
         (state == "running" || state == "streaming" || state == "in archive recovery");
}

const PatroniMember* PatroniCluster::leader() const {
  const auto found = std::find_if(members.begin(), members.end(), [](const auto& member) {
    return member.role == PatroniRole::leader || member.role == PatroniRole::standby_leader;
  });
  return found == members.end() ? nullptr : &*found;
}

PatroniCluster parse_patroni_cluster(std::string_view body) {
  const auto json = Json::parse(body, nullptr, false);
  if (json.is_discarded()) throw not_patroni("not JSON");
  if (!json.is_object() || !json.contains("members") || !json["members"].is_array()) {
    throw not_patroni("no members");
  }
  PatroniCluster cluster{.scope = text_of(json, "scope"), .paused = is_true(json, "pause")};
  for (const auto& member : json["members"]) {
    if (!member.is_object()) throw not_patroni("a member is not an object");
    cluster.members.push_back(member_of(member));
  }
  return cluster;
}

std::string scope_in_status(std::string_view body) {
  const auto json = Json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("patroni") || !json["patroni"].is_object()) return {};
  return text_of(json["patroni"], "scope");
}

std::string role_in_status(std::string_view body) {
  const auto json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return "not a Patroni response";
  const auto role = text_of(json, "role");
  const auto state = text_of(json, "state");
  return fmt::format("{}, {}", role.empty() ? "no role" : role, state.empty() ? "no state" : state);
}

}  // namespace pgrehearse
