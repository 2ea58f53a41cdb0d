#include "harness/scenario/scenario_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <regex>

#include "harness/common/text.hpp"
#include "harness/postgres/connection.hpp"
#include "harness/primary/route.hpp"
#include "harness/scenario/language/repository_kinds.hpp"
#include "harness/scenario/pod_scenario.hpp"
#include "harness/scenario/sandbox_kinds.hpp"

namespace pgrehearse {

namespace {

// Error and hint for one value; an empty message means it is valid.
struct Objection {
  std::string message;
  std::string hint;
};

// The text as written: the value may come from the environment.
struct Value {
  const YamlNode& node;
  const Settings& settings;
  std::string_view key;

  [[nodiscard]] std::string text() const { return settings.get_or<std::string>(key, ""); }
  [[nodiscard]] bool from_environment() const { return node.text != node.written; }
};

Objection rule_name(const Value& value) {
  const std::string name = value.text();
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  constexpr std::size_t longest = 80;
  if (name.size() > longest)
    return {"the name is longer than 80 characters", "the name is used as a directory name"};
  const bool clean = name.find_first_not_of(allowed) == std::string::npos;
  if (clean && name.front() != '.' && name.front() != '-') return {};
  constexpr std::string_view what_may_stand = "use letters, digits, '.', '_' and '-'";
  if (value.from_environment()) {
    return {fmt::format("name '{}' may contain only letters, digits, '-', '_' and '.'",
                        value.node.written),
            std::string(what_may_stand)};
  }
  std::string proposed;
  for (const char c : name) {
    const bool good = allowed.find(c) != std::string_view::npos;
    if (good && !(proposed.empty() && (c == '.' || c == '-'))) proposed += c;
    if (!good && !proposed.empty() && proposed.back() != '-') proposed += '-';
  }
  while (proposed.ends_with('-')) proposed.pop_back();
  return {fmt::format("name '{}' may contain only letters, digits, '-', '_' and '.'",
                      value.node.written),
          proposed.empty() ? std::string(what_may_stand) : fmt::format("try name: {}", proposed)};
}

// The name of a directory, or an id of Barman.
Objection rule_backup_of_other_tools(const Value& value) {
  const auto values = value.settings.get_or<std::map<std::string, std::string>>(value.key, {});
  const auto word = values.find("");
  if (word == values.end() || word->second.find('/') == std::string::npos) return {};
  return {fmt::format("'{}' is not latest, oldest or the name of a backup", value.node.written),
          "give the name without its directory"};
}

Objection rule_backup(const Value& value) {
  if (value.settings.get_or<std::string>("repository.type", "pgbackrest") != "pgbackrest") {
    return rule_backup_of_other_tools(value);
  }
  static const std::regex label("[0-9]{8}-[0-9]{6}F(_[0-9]{8}-[0-9]{6}[DI])?");
  const std::vector<std::string> words{"latest", "oldest", "random", "unproved"};
  const auto values = value.settings.get_or<std::map<std::string, std::string>>(value.key, {});
  if (const auto age = values.find("older_than"); age != values.end()) {
    if (parse_duration(age->second)) return {};
    return {fmt::format("'{}' is not a duration", age->second), "for example older_than: 7d"};
  }
  const auto word = values.find("");
  if (word == values.end()) {
    return {"missing key 'older_than' in backup", "for example backup: { older_than: 7d }"};
  }
  const auto& backup = word->second;
  if (std::ranges::find(words, backup) != words.end() || std::regex_match(backup, label)) return {};
  const auto near = nearest(backup, words);
  return {fmt::format("'{}' is not latest, oldest, random, unproved or the label of a backup",
                      value.node.written),
          near ? fmt::format("did you mean '{}'?", *near)
               : "a label looks like 20261120-030000F or 20261120-030000F_20261121-030000I"};
}

Objection rule_repo(const Value& value) {
  const auto number = value.settings.get_or<std::int64_t>(value.key, 1);
  if (number >= 1 && number <= 256) return {};
  return {fmt::format("repository {} does not exist", number),
          "pgBackRest repositories are numbered 1 to 256"};
}

Objection rule_dsn(const Value& value) {
  try {
    const auto parameters = parse_dsn(value.text());
    if (value.settings.has("primary.patroni.urls")) {
      for (const auto* keyword : {"host", "hostaddr", "port", "target_session_attrs"}) {
        if (!parameters.contains(keyword)) continue;
        return {fmt::format("the dsn contains {}, but Patroni provides the server", keyword),
                "remove it, or remove patroni"};
      }
      return {};
    }
    try {
      routes_of(parameters, PreferredMember::any);
    } catch (const Error& error) {
      return {error.what(), error.hint()};
    }
  } catch (const Error& error) {
    // libpq's message may contain a password.
    return {"the dsn is not a libpq connection string",
            value.from_environment()
                ? "for example dsn: \"host=db1 dbname=postgres user=pgrehearse\""
                : std::string(trim(error.what()))};
  }
  return {};
}

Objection rule_run_as(const Value& value) {
  if (value.text() != "root") return {};
  return {"PostgreSQL refuses to run as root", "use another account, for example run_as: postgres"};
}

Objection rule_memory(const Value& value) {
  constexpr Bytes least{std::uint64_t{32} << 20};
  if (value.settings.get_or<Bytes>(value.key, least) >= least) return {};
  return {fmt::format("memory '{}' is less than 32MB", value.node.written),
          value.node.written.find_first_not_of("0123456789") == std::string::npos
              ? fmt::format("a number without a unit means bytes; write {}GB", value.node.written)
              : "PostgreSQL needs more memory to start"};
}

Objection rule_cpus(const Value& value) {
  if (value.settings.get_or<std::int64_t>(value.key, 0) <= 4096) return {};
  return {fmt::format("'{}' is too many CPUs", value.node.written), "0 means all CPUs"};
}

Objection rule_io_bandwidth(const Value& value) {
  constexpr Bytes least{std::uint64_t{1} << 20};
  if (value.settings.get_or<Bytes>(value.key, least) >= least) return {};
  return {fmt::format("io_bandwidth '{}' is less than 1MB per second", value.node.written),
          "for example io_bandwidth: 200MB"};
}

Objection rule_engine(const Value& value) {
  static const std::regex address(R"((unix:///\S+|tcp://[^/\s@]+))");
  if (std::regex_match(value.text(), address)) return {};
  return {fmt::format("'{}' is not a container engine address", value.node.written),
          "for example unix:///run/docker.sock or tcp://127.0.0.1:2376"};
}

Objection rule_checksum(const Value& value) {
  static const std::regex checksum("sha256:[0-9a-f]{64}");
  if (std::regex_match(value.text(), checksum)) return {};
  return {fmt::format("'{}' is not a checksum", value.node.written),
          "use the checksum printed by docker/vm/build: sha256: and 64 hexadecimal digits"};
}

Objection rule_positive(const Value& value) {
  if (value.settings.get<std::chrono::milliseconds>(value.key)->count() > 0) return {};
  return {fmt::format("'{}' must be greater than zero", value.node.written),
          "remove the key for no limit"};
}

// Scheme and host of a REST API, without credentials, which have their own keys.
Objection rule_urls(const Value& value) {
  static const std::regex url(R"(https?://[^/?#@\s]+/?([^?#@\s]*))");
  const auto urls = value.settings.get_or<std::vector<std::string>>(value.key, {});
  if (urls.empty()) return {"no URL given", "for example urls: [https://db1:8008]"};
  for (const auto& one : urls) {
    if (std::regex_match(one, url)) continue;
    // The text may contain a password.
    return {"not the URL of a REST API",
            "for example https://db1:8008; use the keys username and password for credentials"};
  }
  return {};
}

Objection rule_key(const Value& value) {
  if (value.settings.has("primary.patroni.certificate")) return {};
  return {"key requires cert", "add the certificate of this key"};
}

Objection rule_password(const Value& value) {
  if (value.settings.has("primary.patroni.username")) return {};
  return {"password requires username", "add the username"};
}

Objection rule_max_lag(const Value& value) {
  if (!value.settings.has("primary.patroni.urls")) {
    return {"max_lag requires patroni: a standby cannot measure its own lag",
            "remove it, or add patroni: { urls: [...] }"};
  }
  if (value.settings.get_or<std::string>("primary.prefer", "") == "standby") return {};
  return {"max_lag requires prefer: standby", "add prefer: standby"};
}

struct Rule {
  std::string_view key;
  Objection (*objection)(const Value& value) = nullptr;
};

constexpr std::array<Rule, 18> rules{{
    {"name", rule_name},
    {"repository.backup", rule_backup},
    {"repository.repo", rule_repo},
    {"primary.dsn", rule_dsn},
    {"primary.patroni.urls", rule_urls},
    {"primary.patroni.key", rule_key},
    {"primary.patroni.password", rule_password},
    {"primary.max_lag", rule_max_lag},
    {"sandbox.run_as", rule_run_as},
    {"sandbox.memory", rule_memory},
    {"sandbox.cpus", rule_cpus},
    {"sandbox.io_bandwidth", rule_io_bandwidth},
    {"sandbox.engine", rule_engine},
    {"sandbox.checksum", rule_checksum},
    {"sandbox.boot_timeout", rule_positive},
    {"objectives.rto", rule_positive},
    {"objectives.rpo", rule_positive},
    {"timeout", rule_positive},
}};

const YamlNode* find_node(const YamlNode& root, std::string_view dotted_key) {
  const YamlNode* node = &root;
  for (const auto step : split(dotted_key, '.')) {
    const auto* entry = node->find(step);
    if (entry == nullptr) return nullptr;
    node = &entry->value;
  }
  return node;
}

void refuse_shared_file(const YamlNode& root, std::vector<ScenarioError>& errors) {
  const auto* reports = root.find("reports");
  if (reports == nullptr) return;
  std::map<std::string, std::string> writers;
  for (const auto& entry : reports->value.entries) {
    if (entry.value.kind != YamlNode::Kind::scalar) continue;
    const auto [writer, is_new] = writers.emplace(entry.value.text, entry.key);
    if (is_new || writer->second == entry.key) continue;
    errors.push_back(
        {entry.value.position,
         fmt::format("'{}' and '{}' are written to the same file", writer->second, entry.key),
         "use a different file for each format"});
  }
}

void require_way_to_primary(const YamlNode& root, std::vector<ScenarioError>& errors) {
  const auto* primary = root.find("primary");
  if (primary == nullptr || primary->value.kind == YamlNode::Kind::unusable) return;
  const auto& node = primary->value;
  if (node.kind != YamlNode::Kind::map && node.kind != YamlNode::Kind::null) return;
  if (node.find("dsn") != nullptr || node.find("patroni") != nullptr) return;
  errors.push_back({node.position, "missing key 'dsn' in primary",
                    "for example dsn: \"host=db1 dbname=postgres user=pgrehearse\", or patroni: { "
                    "urls: [https://db1:8008] }"});
}

void refuse_other_tools_in_pods(const YamlNode& root, std::vector<ScenarioError>& errors) {
  const auto* type = find_node(root, "repository.type");
  if (type == nullptr || type->text == default_repository_type) return;
  errors.push_back(
      {type->position,
       fmt::format("a pod can read only pgBackRest's repositories, not {}", type->text),
       "set sandbox.type to local"});
}

}  // namespace

void check_scenario_rules(const YamlNode& root, const Settings& settings,
                          std::vector<ScenarioError>& errors) {
  for (const auto& rule : rules) {
    const auto* node = settings.has(rule.key) ? find_node(root, rule.key) : nullptr;
    if (node == nullptr) continue;
    auto objection = rule.objection({*node, settings, rule.key});
    if (objection.message.empty()) continue;
    errors.push_back({node->position, std::move(objection.message), std::move(objection.hint)});
  }
  refuse_shared_file(root, errors);
  require_way_to_primary(root, errors);
  check_repository_keys(root, errors);
  check_sandbox_keys(root, errors);
  const auto type = settings.get_or("sandbox.type", std::string(default_sandbox_type));
  if (sandbox_kind(type).options == SandboxKind::Options::pod) {
    check_pod_rules(root, errors);
    refuse_other_tools_in_pods(root, errors);
  }
}

}  // namespace pgrehearse
