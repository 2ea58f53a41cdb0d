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
#include "harness/process/process_table.hpp"
#include "harness/report/verdict.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

struct Probe {
  std::string name;
  bool checked = true;  // false: a probe that it needs has failed
  std::optional<ErrorKind> problem = {};
  bool warning = false;  // it works, with the risk that the message names
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

// The restored copy's own code runs as this account: it could read the files of such a server.
std::optional<Probe> other_servers_of(const Account& account) {
  std::vector<std::string> servers;
  const auto processes = all_processes();
  const auto is_server = [&](const ProcessInfo& process) {
    return process.alive() && process.owner == account.uid &&
           (process.name == "postgres" || process.name == "postmaster");
  };
  for (const auto& process : processes) {
    if (!is_server(process)) continue;
    const bool of_server = std::any_of(processes.begin(), processes.end(), [&](const auto& other) {
      return other.pid == process.parent && is_server(other);
    });
    if (!of_server) servers.push_back(std::to_string(process.pid));
  }
  if (servers.empty()) return {};
  return Probe{
      .name = "other servers",
      .warning = true,
      .message = fmt::format("PostgreSQL also runs as account '{}' (process {}): code in a "
                             "restored copy could read its files",
                             account.name, join(servers, ", ")),
      .fix = "set sandbox.run_as to an account that runs no other server"};
}

void add_other_servers(const Account& account, std::vector<Probe>& probes) {
  if (auto found = other_servers_of(account)) probes.push_back(std::move(*found));
}

// Checks that need no scenario.
std::vector<Probe> probe_host(const CommonOptions& common, const std::stop_token& stop) {
  std::vector<Probe> probes{
      probe("state directory", [&] { return writable_state(common.state); }),
      probe("account", usable_account), probe("PostgreSQL binaries", installed_servers),
      probe("backup tool", [&] {
        const auto result =
            real_command_runner()->run({.program = "pgbackrest", .arguments = {"version"}}, stop);
        return std::string(trim(result.output));
      })};
  if (geteuid() != 0 || probes[1].ok()) {
    add_other_servers(geteuid() != 0 ? current_account() : find_account("postgres"), probes);
  }
  return probes;
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
    if (scenario.sandbox.type == "local") add_other_servers(working_account(scenario), probes);
  } catch (const Error& error) {
    probes.push_back(failed_probe("account", error));
  }
  return probes;
}

std::string_view state_of(const Probe& probe) {
  if (probe.warning) return "warning";
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
                      {"warning", each.warning},
                      {"message", each.message},
                      {"fix", each.fix}});
    }
    std::cout << nlohmann::ordered_json{{"subject", subject}, {"probes", list}}.dump(
                     2, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
              << '\n';
    return;
  }
  std::cout << printable(subject) << '\n';
  for (const auto& each : probes) {
    std::cout << fmt::format("  {:<7} {:<22} {}\n", state_of(each), each.name,
                             printable(each.message));
    if (!each.fix.empty())
      std::cout << fmt::format("  {:<7} {:<22} hint: {}\n", "", "", printable(each.fix));
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
