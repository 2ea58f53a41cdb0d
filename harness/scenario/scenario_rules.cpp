#include "harness/scenario/scenario_rules.hpp"

#include <fmt/format.h>

#include <map>
#include <regex>

#include "harness/common/text.hpp"
#include "harness/postgres/connection.hpp"
#include "harness/primary/route.hpp"
#include "harness/scenario/pod_scenario.hpp"

namespace pgrehearse {

namespace {

// What is wrong with one value, and the hint; an empty message: nothing.
struct Objection {
  std::string message;
  std::string hint;
};

// The value's own text, as written: it may come from the environment.
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
    return {"the name is longer than 80 letters", "it becomes a directory's name"};
  const bool clean = name.find_first_not_of(allowed) == std::string::npos;
  if (clean && name.front() != '.' && name.front() != '-') return {};
  constexpr std::string_view what_may_stand = "letters, digits, '.', '_' and '-'";
  if (value.from_environment()) {
    return {fmt::format("name '{}' cannot name a directory of runs", value.node.written),
            std::string(what_may_stand)};
  }
  std::string proposed;
  for (const char c : name) {
    const bool good = allowed.find(c) != std::string_view::npos;
    if (good && !(proposed.empty() && (c == '.' || c == '-'))) proposed += c;
    if (!good && !proposed.empty() && proposed.back() != '-') proposed += '-';
  }
  while (proposed.ends_with('-')) proposed.pop_back();
  return {fmt::format("name '{}' cannot name a directory of runs", value.node.written),
          proposed.empty() ? std::string(what_may_stand) : fmt::format("write name: {}", proposed)};
}

Objection rule_backup(const Value& value) {
  static const std::regex label("[0-9]{8}-[0-9]{6}F(_[0-9]{8}-[0-9]{6}[DI])?");
  const std::string backup = value.text();
  if (backup == "latest" || backup == "oldest" || std::regex_match(backup, label)) return {};
  const auto near = nearest(backup, std::vector<std::string>{"latest", "oldest"});
  return {
      fmt::format("'{}' is neither latest, oldest nor the label of a backup", value.node.written),
      near ? fmt::format("did you mean '{}'?", *near)
           : "a label looks like 20261120-030000F or 20261120-030000F_20261121-030000I"};
}

Objection rule_repo(const Value& value) {
  const auto number = value.settings.get_or<std::int64_t>(value.key, 1);
  if (number >= 1 && number <= 256) return {};
  return {fmt::format("there is no repository {}", number),
          "pgBackRest numbers them from 1 to 256"};
}

Objection rule_dsn(const Value& value) {
  try {
    const auto parameters = parse_dsn(value.text());
    if (value.settings.has("primary.patroni.urls")) {
      for (const auto* keyword : {"host", "hostaddr", "port", "target_session_attrs"}) {
        if (!parameters.contains(keyword)) continue;
        return {fmt::format("the dsn has a {}, but Patroni names the server", keyword),
                "leave it out, or leave out patroni"};
      }
      return {};
    }
    try {
      routes_of(parameters, PreferredMember::any);
    } catch (const Error& error) {
      return {error.what(), error.hint()};
    }
  } catch (const Error& error) {
    // libpq's words may quote a password.
    return {"the dsn is not a libpq connection string",
            value.from_environment()
                ? "for example dsn: \"host=db1 dbname=postgres user=pgrehearse\""
                : std::string(trim(error.what()))};
  }
  return {};
}

Objection rule_run_as(const Value& value) {
  if (value.text() != "root") return {};
  return {"PostgreSQL refuses to run as root",
          "name an ordinary account, for example run_as: postgres"};
}

Objection rule_memory(const Value& value) {
  constexpr Bytes least{std::uint64_t{32} << 20};
  if (value.settings.get_or<Bytes>(value.key, least) >= least) return {};
  return {fmt::format("memory '{}' is less than 32MB", value.node.written),
          value.node.written.find_first_not_of("0123456789") == std::string::npos
              ? fmt::format("a number alone is bytes: write {}GB", value.node.written)
              : "an instance needs more to start"};
}

Objection rule_cpus(const Value& value) {
  if (value.settings.get_or<std::int64_t>(value.key, 0) <= 4096) return {};
  return {fmt::format("'{}' processors are too many", value.node.written), "0 stands for all"};
}

Objection rule_io_bandwidth(const Value& value) {
  const auto type = value.settings.get_or<std::string>("sandbox.type", "local");
  if (type == "local" || type == "kubernetes") {
    return {fmt::format("sandbox.type {} cannot limit what is read from a disk", type),
            "use docker, podman or vm, or leave io_bandwidth out"};
  }
  constexpr Bytes least{std::uint64_t{1} << 20};
  if (value.settings.get_or<Bytes>(value.key, least) >= least) return {};
  return {fmt::format("io_bandwidth '{}' is less than 1MB in a second", value.node.written),
          "for example io_bandwidth: 200MB"};
}

Objection rule_engine(const Value& value) {
  static const std::regex address(R"((unix:///\S+|tcp://[^/\s@]+))");
  if (std::regex_match(value.text(), address)) return {};
  return {fmt::format("'{}' is not the address of an engine", value.node.written),
          "for example unix:///run/docker.sock or tcp://127.0.0.1:2376"};
}

Objection rule_checksum(const Value& value) {
  static const std::regex checksum("sha256:[0-9a-f]{64}");
  if (std::regex_match(value.text(), checksum)) return {};
  return {fmt::format("'{}' is not a checksum", value.node.written),
          "docker/vm/build prints the one of its image, sha256: and 64 digits"};
}

Objection rule_positive(const Value& value) {
  if (value.settings.get<std::chrono::milliseconds>(value.key)->count() > 0) return {};
  return {fmt::format("'{}' is no time at all", value.node.written),
          "leave the key out for no limit"};
}

// The scheme and the host of a REST API, without credentials: those have keys of their own.
Objection rule_urls(const Value& value) {
  static const std::regex url(R"(https?://[^/?#@\s]+/?([^?#@\s]*))");
  const auto urls = value.settings.get_or<std::vector<std::string>>(value.key, {});
  if (urls.empty()) return {"no url is named", "for example urls: [https://db1:8008]"};
  for (const auto& one : urls) {
    if (std::regex_match(one, url)) continue;
    // The text may hold a password.
    return {"that is not the url of a REST API",
            "for example https://db1:8008; user and password belong to username and password"};
  }
  return {};
}

Objection rule_key(const Value& value) {
  if (value.settings.has("primary.patroni.certificate")) return {};
  return {"a key without a certificate", "name the certificate that the key belongs to"};
}

Objection rule_password(const Value& value) {
  if (value.settings.has("primary.patroni.username")) return {};
  return {"a password without a username", "add the username"};
}

Objection rule_max_lag(const Value& value) {
  if (!value.settings.has("primary.patroni.urls")) {
    return {"max_lag needs patroni: a standby does not know how far behind it is",
            "leave it out, or add patroni: { urls: [...] }"};
  }
  if (value.settings.get_or<std::string>("primary.prefer", "") == "standby") return {};
  return {"max_lag has no meaning without prefer: standby", "add prefer: standby"};
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
         "give each format a file of its own"});
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
  if (settings.get_or<std::string>("sandbox.type", "") == "kubernetes") {
    check_pod_rules(root, errors);
  }
}

}  // namespace pgrehearse
