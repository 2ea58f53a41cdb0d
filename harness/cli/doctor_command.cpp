#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "harness/cli/commands.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/text.hpp"
#include "harness/postgres/binaries.hpp"
#include "harness/scenario/scenario_parser.hpp"

namespace pgrehearse {

namespace {

struct Probe {
  std::string name;
  bool ok = false;
  std::string message;
  std::string fix;
};

template <typename Action>
Probe probe(std::string name, const Action& action) {
  Probe result{.name = std::move(name)};
  try {
    result.message = action();
    result.ok = true;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    result.message = error.what();
    result.fix = error.hint();
  }
  return result;
}

std::string writable_state(const std::filesystem::path& state) {
  auto existing = state;
  while (!std::filesystem::exists(existing) && existing.has_relative_path())
    existing = existing.parent_path();
  if (access(existing.c_str(), W_OK | X_OK) != 0) {
    throw Error(ErrorKind::environment, fmt::format("{} is not writable", existing.string()),
                "choose another directory with --state");
  }
  return existing == state ? state.string() : fmt::format("{} will be created", state.string());
}

std::string installed_servers() {
  std::vector<std::string> majors;
  for (const int major : installed_majors()) majors.push_back(std::to_string(major));
  if (majors.empty()) {
    throw Error(ErrorKind::environment, "no PostgreSQL server binaries found",
                "install the package for the backup's major version, for example postgresql-15");
  }
  return "PostgreSQL " + join(majors, ", ");
}

std::string usable_account() {
  if (geteuid() != 0) return "running as " + current_account().name;
  return "running as root; PostgreSQL and pgBackRest will run as " + find_account("postgres").name;
}

// Checks that need no scenario.
std::vector<Probe> probe_host(const CommonOptions& common, const std::stop_token& stop) {
  return {probe("state directory", [&] { return writable_state(common.state); }),
          probe("account", usable_account), probe("PostgreSQL binaries", installed_servers),
          probe("backup tool", [&] {
            const auto result = real_command_runner()->run(
                {.program = "pgbackrest", .arguments = {"version"}}, stop);
            return std::string(trim(result.output));
          })};
}

std::vector<Probe> probe_scenario(const Scenario& scenario, const CommonOptions& common,
                                  const std::stop_token& stop) {
  std::vector<Probe> probes{probe("state directory", [&] { return writable_state(common.state); })};
  try {
    const auto parts = wire(scenario, common.state, fmt::format("doctor-{}", getpid()));
    for (const auto& requirement : parts.executor->requirements()) {
      probes.push_back(probe(requirement.name, [&] { return requirement.check(stop); }));
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    probes.push_back({.name = "account", .message = error.what(), .fix = error.hint()});
  }
  return probes;
}

void print(const std::string& subject, const std::vector<Probe>& probes,
           const CommonOptions& common) {
  if (common.format == "json") {
    auto list = nlohmann::ordered_json::array();
    for (const auto& [name, ok, message, fix] : probes) {
      list.push_back({{"name", name}, {"ok", ok}, {"message", message}, {"fix", fix}});
    }
    std::cout << nlohmann::ordered_json{{"subject", subject}, {"probes", list}}.dump(
                     2, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
              << '\n';
    return;
  }
  std::cout << subject << '\n';
  for (const auto& [name, ok, message, fix] : probes) {
    std::cout << fmt::format("  {:<7} {:<22} {}\n", ok ? "ok" : "problem", name, message);
    if (!fix.empty()) std::cout << fmt::format("  {:<7} {:<22} hint: {}\n", "", "", fix);
  }
}

}  // namespace

CommandAction configure_doctor(CLI::App& command, const CommonOptions& common) {
  auto files = std::make_shared<std::vector<std::filesystem::path>>();
  auto overrides = std::make_shared<std::vector<std::string>>();
  command.add_option("scenario", *files, "scenarios to check [only this host]")->type_name("FILE");
  command.add_option("--set", *overrides, "override a scenario value: --set sandbox.memory=4GB")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  return [files, overrides, &common](const std::stop_token& stop) {
    bool all_ok = true;
    const auto show = [&](const std::string& subject, const std::vector<Probe>& probes) {
      print(subject, probes, common);
      for (const auto& found : probes) all_ok = all_ok && found.ok;
    };
    if (files->empty()) show("this host", probe_host(common, stop));
    for (const auto& file : *files) {
      const auto scenario = load_scenario(file, *overrides, all_checks());
      show(file.string(), probe_scenario(scenario, common, stop));
    }
    return all_ok ? ExitCode::pass : ExitCode::unknown;
  };
}

}  // namespace pgrehearse
