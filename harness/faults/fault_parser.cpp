#include "harness/faults/fault_parser.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/faults/damage/damage.hpp"
#include "harness/faults/fault_keys.hpp"
#include "harness/report/finding_codes.hpp"
#include "harness/scenario/language/scenario_errors.hpp"
#include "harness/scenario/language/section_reader.hpp"
#include "harness/scenario/language/yaml_source.hpp"

namespace pgrehearse {

namespace {

using Errors = std::vector<ScenarioError>;

const DamageDescription* known_action(const std::string& name, const SourcePosition& position,
                                      Errors& errors) {
  const auto* action = find_damage(name);
  if (action != nullptr) return action;
  std::vector<std::string> names;
  for (const auto& row : damage_table()) names.emplace_back(row.name);
  errors.push_back(
      {position, fmt::format("unknown damage '{}'", name), hint_for_unknown(name, names)});
  return nullptr;
}

void read_action(const YamlNode& node, std::vector<DamageRequest>& into, Errors& errors) {
  const bool lone = node.kind == YamlNode::Kind::scalar;
  if (!lone && (node.kind != YamlNode::Kind::map || node.entries.size() != 1)) {
    errors.push_back(
        {node.position,
         fmt::format("damage must be an action with its settings, not {}", described(node)),
         "start each action with its own dash"});
    return;
  }
  const YamlNode none{.position = node.position};
  const auto name = lone ? node.written : node.entries.front().key;
  const auto& settings = lone ? none : node.entries.front().value;
  const auto* action = known_action(name, node.position, errors);
  if (action == nullptr) return;
  DamageRequest request{.action = name, .settings = Settings(node.position)};
  read_section(settings, {action->keys, fmt::format("damage '{}'", name), ""}, request.settings,
               errors);
  into.push_back(std::move(request));
}

void read_damage(const YamlNode& root, Fault& fault, Errors& errors) {
  const auto* damage = root.find("damage");
  if (damage == nullptr) return;  // reported as missing
  if (damage->value.kind != YamlNode::Kind::sequence) {
    errors.push_back(
        {damage->value.position,
         fmt::format("'damage' must be a list of actions, not {}", described(damage->value)),
         "for example damage: [remove_segment: { which: middle }]"});
    return;
  }
  for (const auto& item : damage->value.items) read_action(item, fault.damage, errors);
}

using Words = std::vector<std::string>;

std::vector<FindingCode> read_codes(const Settings& settings, std::string_view key,
                                    Errors& errors) {
  std::vector<FindingCode> codes;
  for (const auto& text : settings.get_or<Words>(key, {})) {
    codes.push_back(finding_code_of(text));
    if (codes.back() != FindingCode::none) continue;
    Words known;
    for (const auto& row : finding_code_table()) known.emplace_back(row.text);
    errors.push_back({settings.position(), fmt::format("unknown finding code '{}'", text),
                      hint_for_unknown(text, known)});
  }
  return codes;
}

FaultExpectation read_expectation(const Settings& settings, const std::string& section,
                                  Errors& errors) {
  const auto key = [&](const char* name) { return section + "." + name; };
  const auto verdict = parse_verdict(settings.get_or<std::string>(key("verdict"), "fail"));
  return {.verdict = verdict.value_or(Verdict::fail),
          .codes = read_codes(settings, key("code"), errors),
          .alternatives = read_codes(settings, key("alternatives"), errors),
          .error = settings.get_or<std::string>(key("error"), ""),
          .objects = settings.get_or<Words>(key("object"), {})};
}

void check_expectation(const YamlNode& root, const FaultExpectation& expect, Errors& errors) {
  const auto refuse = [&](std::string message, std::string hint) {
    errors.push_back({root.position, std::move(message), std::move(hint)});
  };
  if (expect.verdict != Verdict::pass && expect.codes.empty()) {
    refuse("a fault with a verdict other than pass needs a finding code",
           fmt::format("for example code: {}", text_of(FindingCode::wal_gap)));
  }
  if (!expect.objects.empty() && expect.objects.size() != expect.codes.size()) {
    refuse("the number of objects differs from the number of codes",
           "give one object per code, or none");
  }
}

}  // namespace

Fault parse_fault(const std::string& text, const std::string& file_name) {
  Errors errors;
  const YamlNode root = parse_yaml(text, {.name = file_name}, errors);
  Settings settings(root.position);
  read_section(root, {fault_keys(), "the fault", ""}, settings, errors);
  Fault fault{.name = settings.get_or<std::string>("name", ""),
              .summary = settings.get_or<std::string>("summary", ""),
              .source = settings.get_or<std::string>("source", ""),
              .phase = settings.get_or<std::string>("phase", ""),
              .tags = settings.get_or<Words>("tags", {}),
              .laboratory = settings.get_or<std::string>("laboratory", "plain"),
              .overrides = settings.get_or<Words>("set", {})};
  fault.expect = read_expectation(settings, "expect", errors);
  for (const auto tool : {BackupTool::basebackup, BackupTool::barman}) {
    const auto section = "expect_" + std::string(name_of(tool));
    if (root.find(section) == nullptr) continue;
    fault.expect_with[tool] = read_expectation(settings, section, errors);
  }
  if (root.kind == YamlNode::Kind::map) {
    read_damage(root, fault, errors);
    if (errors.empty()) check_expectation(root, fault.expect, errors);
    for (const auto& [tool, expect] : fault.expect_with) check_expectation(root, expect, errors);
  }
  if (!errors.empty()) throw ScenarioErrors(std::move(errors));
  return fault;
}

}  // namespace pgrehearse
