#include "harness/scenario/scenario_parser.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/common/sha256.hpp"
#include "harness/scenario/check_list_reader.hpp"
#include "harness/scenario/language/section_reader.hpp"
#include "harness/scenario/language/stored_scenario.hpp"
#include "harness/scenario/language/yaml_source.hpp"
#include "harness/scenario/notification/notification_reader.hpp"
#include "harness/scenario/pod_scenario.hpp"
#include "harness/scenario/recovery_target_reader.hpp"
#include "harness/scenario/sandbox_kinds.hpp"
#include "harness/scenario/scenario_keys.hpp"
#include "harness/scenario/scenario_overrides.hpp"
#include "harness/scenario/scenario_rules.hpp"
#include "harness/serve/schedule/schedule_reader.hpp"

namespace pgrehearse {

namespace {

using Errors = std::vector<ScenarioError>;

std::string hash_of(const std::string& text, std::span<const std::string> overrides) {
  std::string all = text;
  for (const auto& override_text : overrides) all.append(1, '\0').append(override_text);
  return sha256_of(all);
}

template <typename T>
std::optional<T> path_of(const Settings& settings, std::string_view key) {
  const auto text = settings.get<std::string>(key);
  if (!text) return {};
  return T(*text);
}

void fill_repository(const Settings& settings, RepositorySpec& repository) {
  repository.type = settings.get_or("repository.type", repository.type);
  repository.stanza = settings.get_or("repository.stanza", repository.stanza);
  repository.path = settings.get_or<std::string>("repository.path", "");
  repository.archive = settings.get_or<std::string>("repository.archive", "");
  repository.restore_command = settings.get_or<std::string>("repository.restore_command", "");
  // What the report and the history call it.
  if (repository.type == "basebackup") repository.stanza = repository.path.filename();
  if (repository.type == "barman") {
    repository.stanza = settings.get_or<std::string>("repository.server", "");
    repository.binary = "barman";
  }
  repository.configuration = path_of<std::filesystem::path>(settings, "repository.config");
  repository.binary = settings.get_or("repository.binary", repository.binary);
  if (const auto key = settings.get<std::int64_t>("repository.repo")) {
    repository.key = static_cast<int>(*key);
  }
  using Words = std::map<std::string, std::string>;
  for (const auto& [key, word] : settings.get_or<Words>("repository.backup", {})) {
    repository.backup = key.empty() ? word : key;
    if (key == "older_than") repository.older_than = parse_duration(word);
  }
}

PatroniSpec patroni_of(const Settings& settings) {
  const auto file = [&](std::string_view key) {
    return path_of<std::filesystem::path>(settings, key);
  };
  return {
      .urls = settings.get_or<std::vector<std::string>>("primary.patroni.urls", {}),
      .cluster = settings.get_or<std::string>("primary.patroni.cluster", ""),
      .credentials = {.ca = file("primary.patroni.ca"),
                      .certificate = file("primary.patroni.certificate"),
                      .key = file("primary.patroni.key"),
                      .username = settings.get_or<std::string>("primary.patroni.username", ""),
                      .password = settings.get_or<std::string>("primary.patroni.password", "")}};
}

PrimarySpec primary_of(const Settings& settings) {
  PrimarySpec primary{
      .dsn = settings.get_or<std::string>("primary.dsn", ""),
      .max_lag = settings.get<Bytes>("primary.max_lag"),
      .failover_timeout = settings.get<std::chrono::milliseconds>("primary.failover_timeout")};
  if (settings.has("primary.patroni.urls")) primary.patroni = patroni_of(settings);
  const auto prefer = settings.get_or<std::string>("primary.prefer", "");
  if (prefer == "primary") primary.prefer = PreferredMember::primary;
  if (prefer == "standby") primary.prefer = PreferredMember::standby;
  return primary;
}

void fill_ledger(const Settings& settings, LedgerSpec& ledger) {
  if (const auto dsn = settings.get<std::string>("ledger.dsn")) ledger.postgres = parse_dsn(*dsn);
  ledger.key = path_of<std::filesystem::path>(settings, "ledger.sign");
}

bool repository_egress_of(const Settings& settings) {
  return settings.get_or<std::string>("sandbox.egress", "none") == "repository";
}

ContainerOptions container_options(const Settings& settings) {
  return {.image = settings.get_or<std::string>("sandbox.image", ""),
          .engine = settings.get_or<std::string>("sandbox.engine", ""),
          .io_bandwidth = settings.get<Bytes>("sandbox.io_bandwidth"),
          .repository_egress = repository_egress_of(settings)};
}

VmOptions vm_options(const Settings& settings) {
  VmOptions options{.image = settings.get_or<std::string>("sandbox.image", ""),
                    .checksum = settings.get_or<std::string>("sandbox.checksum", ""),
                    .accelerator = settings.get_or<std::string>("sandbox.accelerator", ""),
                    .disk = settings.get<Bytes>("sandbox.disk"),
                    .io_bandwidth = settings.get<Bytes>("sandbox.io_bandwidth")};
  if (options.accelerator == "auto") options.accelerator.clear();
  options.boot_timeout = settings.get_or("sandbox.boot_timeout", options.boot_timeout);
  return options;
}

void fill_sandbox(const Settings& settings, SandboxSpec& sandbox) {
  sandbox.type = settings.get_or("sandbox.type", std::string(default_sandbox_type));
  sandbox.directory = settings.get_or<std::string>("sandbox.directory", "");
  sandbox.account = settings.get_or("sandbox.run_as", sandbox.account);
  sandbox.memory = settings.get<Bytes>("sandbox.memory");
  sandbox.cpus = static_cast<int>(settings.get_or<std::int64_t>("sandbox.cpus", 0));
  sandbox.superuser = settings.get_or("sandbox.superuser", sandbox.superuser);
  sandbox.binaries = path_of<std::filesystem::path>(settings, "sandbox.binaries");
}

void fill_kubernetes(const Settings& settings, KubernetesSpec& pod) {
  pod.image = settings.get_or("sandbox.image", pod.image);
  pod.repository_egress = repository_egress_of(settings);
  const auto text = [&](std::string_view key, std::string& value) {
    value = settings.get_or(fmt::format("sandbox.kubernetes.{}", key), value);
  };
  text("context", pod.context);
  text("namespace", pod.name_space);
  text("config_secret", pod.config_secret);
  text("repository_claim", pod.repository_claim);
  text("pull_secret", pod.pull_secret);
  if (const auto path = settings.get<std::string>("sandbox.kubernetes.repository_path")) {
    pod.repository_path = *path;
  }
  pod.repository_addresses =
      settings.get_or<std::vector<std::string>>("sandbox.kubernetes.repository_addresses", {});
  pod.user = static_cast<int>(
      settings.get_or<std::int64_t>("sandbox.kubernetes.user", std::int64_t{pod.user}));
  pod.storage = settings.get<Bytes>("sandbox.kubernetes.storage");
  pod.start_timeout = settings.get_or("sandbox.kubernetes.start_timeout", pod.start_timeout);
}

// The options of the scenario's kind of sandbox; keys of other kinds are ignored.
void fill_options(const YamlNode& root, const Settings& settings, Scenario& scenario) {
  switch (sandbox_kind(scenario.sandbox.type).options) {
    case SandboxKind::Options::local:
      scenario.sandbox.options = LocalOptions{};
      break;
    case SandboxKind::Options::container:
      scenario.sandbox.options = container_options(settings);
      break;
    case SandboxKind::Options::vm:
      scenario.sandbox.options = vm_options(settings);
      break;
    case SandboxKind::Options::pod:
      fill_kubernetes(settings, scenario.kubernetes.emplace());
      scenario.inside_pod = scenario_inside_pod(root, scenario.sandbox);
      break;
  }
}

void fill_reports(const Settings& settings, std::map<std::string, std::filesystem::path>& reports) {
  for (const std::string format : {"json", "junit", "markdown", "html"}) {
    if (const auto file = settings.get<std::string>("reports." + format)) reports[format] = *file;
  }
}

void fill(const YamlNode& root, std::span<const CheckDescription> checks, Scenario& scenario,
          Errors& errors) {
  Settings settings(root.position);
  read_section(root, {scenario_keys(), "the scenario", ""}, settings, errors);
  check_scenario_rules(root, settings, errors);
  scenario.name = settings.get_or<std::string>("name", "");
  fill_repository(settings, scenario.repository);
  if (root.find("primary") != nullptr) scenario.primary = primary_of(settings);
  fill_ledger(settings, scenario.ledger);
  if (const auto seed = settings.get<std::int64_t>("seed")) {
    scenario.seed = static_cast<std::uint64_t>(*seed);
  }
  fill_sandbox(settings, scenario.sandbox);
  fill_options(root, settings, scenario);
  scenario.sandbox.scenario = scenario.name;
  scenario.objectives = {.rto = settings.get<std::chrono::milliseconds>("objectives.rto"),
                         .rpo = settings.get<std::chrono::milliseconds>("objectives.rpo")};
  fill_reports(settings, scenario.reports);
  scenario.timeout = settings.get<std::chrono::milliseconds>("timeout");
  if (const auto* list = root.find("notify")) {
    scenario.notifications = read_notifications(list->value, errors);
  }
  if (const auto* target = root.find("recover_to")) {
    scenario.target = read_recovery_target(target->value, errors);
  }
  if (const auto* schedule = root.find("schedule")) {
    scenario.schedule = read_schedule(schedule->value, settings, scenario.name, errors);
  }
  if (const auto* list = root.find("checks")) {
    const CheckListSurroundings surroundings{
        .has_primary = root.find("primary") != nullptr,
        .sandbox_type = settings.get_or("sandbox.type", std::string(default_sandbox_type))};
    scenario.checks = read_check_list(list->value, surroundings, checks, errors);
  }
}

}  // namespace

Scenario parse_scenario(const std::string& text, const std::string& file_name,
                        std::span<const std::string> overrides,
                        std::span<const CheckDescription> checks) {
  Errors errors;
  YamlNode root = parse_yaml(text, {.name = file_name}, errors);
  if (root.kind == YamlNode::Kind::null) {
    errors.push_back({{file_name, 1, 1},
                      "the scenario is empty",
                      "start with a name, for example name: weekly-orders"});
    root.kind = YamlNode::Kind::unusable;
  }
  for (const auto& override_text : overrides) apply_override(root, override_text, errors);
  expand_environment(root, errors);
  Scenario scenario{.file = file_name, .hash = hash_of(text, overrides)};
  if (root.kind != YamlNode::Kind::unusable) fill(root, checks, scenario, errors);
  if (!errors.empty()) throw ScenarioErrors(std::move(errors));
  scenario.stored_text = stored_scenario(root, file_name, overrides);
  return scenario;
}

}  // namespace pgrehearse
