#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "harness/cli/commands.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/text.hpp"
#include "harness/postgres/binaries.hpp"
#include "harness/report/verdict.hpp"

namespace pgrehearse {

namespace {

struct Probe {
  std::string name;
  bool checked = true;  // false: a probe that it needs has failed
  std::optional<ErrorKind> problem = {};
  std::string message;
  std::string fix;

  [[nodiscard]] bool ok() const { return checked && !problem; }
};

Probe failed_probe(std::string name, const Error& error) {
  if (error.kind() == ErrorKind::interrupted) throw error;
  return {.name = std::move(name),
          .problem = error.kind(),
          .message = error.what(),
          .fix = error.hint()};
}

template <typename Action>
Probe probe(std::string name, const Action& action) {
  try {
    return {.name = name, .message = action()};
  } catch (const Error& error) {
    return failed_probe(std::move(name), error);
  }
}

std::string writable_state(const std::filesystem::path& state) {
  auto existing = state;
  while (!std::filesystem::exists(existing) && existing.has_relative_path())
    existing = existing.parent_path();
  if (access(existing.c_str(), W_OK | X_OK) != 0) {
    throw Error(ErrorKind::environment,
                existing == state ? fmt::format("{} is not writable", state.string())
                                  : fmt::format("{} cannot be created: {} is not writable",
                                                state.string(), existing.string()),
                "choose another directory with --state");
  }
  return existing == state ? state.string() : fmt::format("{} will be created", state.string());
}

std::string installed_servers() {
  newest_installed_major();
  std::vector<std::string> majors;
  for (const int major : installed_majors()) majors.push_back(std::to_string(major));
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
      // One cause, one problem: what depends on a failed probe would only fail again.
      const auto failed = std::ranges::any_of(probes, [&](const Probe& other) {
        return other.name == requirement.needs && !other.ok();
      });
      if (failed) {
        probes.push_back({.name = requirement.name,
                          .checked = false,
                          .message = "not checked: needs " + requirement.needs});
      } else {
        probes.push_back(probe(requirement.name, [&] { return requirement.check(stop); }));
      }
    }
  } catch (const Error& error) {
    probes.push_back(failed_probe("account", error));
  }
  return probes;
}

std::string_view state_of(const Probe& probe) {
  return probe.problem ? "problem" : probe.checked ? "ok" : "-";
}

void print(const std::string& subject, const std::vector<Probe>& probes,
           const CommonOptions& common) {
  if (common.format == "json") {
    auto list = nlohmann::ordered_json::array();
    for (const auto& each : probes) {
      list.push_back({{"name", each.name},
                      {"ok", each.ok()},
                      {"checked", each.checked},
                      {"message", each.message},
                      {"fix", each.fix}});
    }
    std::cout << nlohmann::ordered_json{{"subject", subject}, {"probes", list}}.dump(
                     2, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
              << '\n';
    return;
  }
  std::cout << subject << '\n';
  for (const auto& each : probes) {
    std::cout << fmt::format("  {:<7} {:<22} {}\n", state_of(each), each.name, each.message);
    if (!each.fix.empty()) std::cout << fmt::format("  {:<7} {:<22} hint: {}\n", "", "", each.fix);
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
    std::vector<ExitCode> codes;
    const auto show = [&](const std::string& subject, const std::vector<Probe>& probes) {
      print(subject, probes, common);
      for (const auto& found : probes) {
        if (found.problem) codes.push_back(exit_code_of(*found.problem));
      }
    };
    if (files->empty()) show("this host", probe_host(common, stop));
    for (const auto& scenario : load_scenarios(*files, *overrides)) {
      show(scenario.file.string(), probe_scenario(scenario, common, stop));
    }
    return worst_of(codes);
  };
}

}  // namespace pgrehearse
