#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/cli/commands.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/report/finding_codes.hpp"

namespace pgrehearse {

namespace {

nlohmann::ordered_json json_of(const KeyDescription& key) {
  nlohmann::ordered_json json{{"name", key.name},
                              {"kind", name_of(key.kind)},
                              {"summary", key.summary},
                              {"required", key.required}};
  if (!key.default_value.empty()) json["default"] = key.default_value;
  if (!key.example.empty()) json["example"] = key.example;
  if (!key.choices.empty())
    json["choices"] = std::vector<std::string>(key.choices.begin(), key.choices.end());
  return json;
}

nlohmann::ordered_json texts_of(std::span<const FindingCode> codes) {
  auto texts = nlohmann::ordered_json::array();
  for (const auto code : codes) texts.push_back(text_of(code));
  return texts;
}

nlohmann::ordered_json json_of(const CheckDescription* check) {
  nlohmann::ordered_json json{{"name", check->name},
                              {"state", name_of(check->state)},
                              {"always", check->always},
                              {"needs_primary", check->needs_primary},
                              {"summary", check->summary},
                              {"finds", texts_of(check->finds)},
                              {"keys", nlohmann::ordered_json::array()}};
  for (const auto& key : check->keys) json["keys"].push_back(json_of(key));
  return json;
}

std::vector<CheckDescription const*> wanted(const std::vector<std::string>& names) {
  std::vector<CheckDescription const*> found;
  std::vector<std::string> known;
  for (const auto& check : all_checks()) {
    known.emplace_back(check.name);
    if (names.empty()) found.push_back(&check);
  }
  for (const auto& name : names) {
    const auto position = std::find(known.begin(), known.end(), name);
    if (position == known.end()) {
      const auto near = nearest(name, known);
      throw Error(ErrorKind::usage, fmt::format("unknown check '{}'", name),
                  near ? fmt::format("did you mean '{}'?", *near)
                       : std::string("'pgrehearse checks' lists all checks"));
    }
    found.push_back(&all_checks()[static_cast<std::size_t>(position - known.begin())]);
  }
  return found;
}

void print_table(const std::vector<CheckDescription const*>& checks) {
  std::size_t width = 5;
  for (const auto* check : checks) width = std::max(width, check->name.size());
  std::cout << fmt::format("{:<{}}  {:<10}  {}\n", "CHECK", width, "STATE", "DESCRIPTION");
  for (const auto* check : checks) {
    std::cout << fmt::format("{:<{}}  {:<10}  {}{}{}{}\n", check->name, width,
                             name_of(check->state), check->summary,
                             check->always ? " (runs in every drill)" : "",
                             check->needs_primary ? " (needs a primary)" : "",
                             check->needs_local_sandbox ? " (only in a local sandbox)" : "");
    for (const auto& key : check->keys) {
      std::cout << fmt::format(
          "{:<{}}    {}: {}{}{}\n", "", width + 12, key.name, key.summary,
          key.required ? " (required)" : "",
          key.default_value.empty() ? "" : fmt::format(" [{}]", key.default_value));
    }
  }
}

// The codes of the checks, or all codes.
std::vector<FindingCodeDescription> codes_of(const std::vector<CheckDescription const*>& checks,
                                             bool all) {
  std::vector<FindingCodeDescription> codes;
  for (const auto& row : finding_code_table()) {
    const bool found = std::ranges::any_of(
        checks, [&](const auto* check) { return std::ranges::count(check->finds, row.code) > 0; });
    if (all || found) codes.push_back(row);
  }
  return codes;
}

nlohmann::ordered_json json_of(const FindingCodeDescription& row) {
  return {{"code", row.text},
          {"severity", name_of(row.severity)},
          {"likely_cause", name_of(row.likely_cause)},
          {"summary", row.summary}};
}

void print_codes(const std::vector<FindingCodeDescription>& codes) {
  constexpr std::string_view line = "{:<29}  {:<8}  {:<12}  {}\n";
  std::cout << fmt::format(line, "CODE", "SEVERITY", "LIKELY CAUSE", "SUMMARY");
  for (const auto& row : codes) {
    std::cout << fmt::format(line, row.text, name_of(row.severity), name_of(row.likely_cause),
                             row.summary);
  }
}

template <typename Rows>
void print_json(const Rows& rows) {
  auto json = nlohmann::ordered_json::array();
  for (const auto& row : rows) json.push_back(json_of(row));
  std::cout << json.dump(2) << '\n';
}

}  // namespace

CommandAction configure_checks(CLI::App& command, const CommonOptions& common) {
  auto names = std::make_shared<std::vector<std::string>>();
  command.add_option("check", *names, "list only these checks")->type_name("CHECK");
  auto findings = std::make_shared<bool>(false);
  command.add_flag("--findings", *findings, "list finding codes instead of checks");
  return [&common, names, findings](const std::stop_token&) {
    const auto checks = wanted(*names);
    const bool json = common.format == "json";
    if (*findings) {
      const auto codes = codes_of(checks, names->empty());
      json ? print_json(codes) : print_codes(codes);
    } else {
      json ? print_json(checks) : print_table(checks);
    }
    return ExitCode::pass;
  };
}

}  // namespace pgrehearse
