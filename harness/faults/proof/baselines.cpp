#include "harness/faults/proof/baselines.hpp"

#include <fmt/format.h>

#include "harness/common/error.hpp"
#include "harness/common/poll_until.hpp"
#include "harness/common/text.hpp"
#include "harness/postgres/connection.hpp"
#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/sandbox_files.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view no_copy = "no copy to check";

std::vector<std::string> target_options(const RecoveryTarget& target) {
  std::vector<std::string> options;
  if (target.timeline != "latest") options.push_back("--target-timeline=" + target.timeline);
  const auto to = [&](const std::string& type, const std::string& value) {
    options.insert(options.end(), {"--type=" + type, "--target-action=promote"});
    if (!value.empty()) options.push_back("--target=" + value);
    if (target.exclusive) options.emplace_back("--target-exclusive");
  };
  switch (target.type) {
    case TargetType::latest:
      break;
    case TargetType::immediate:
      to("immediate", {});
      break;
    case TargetType::time:
      to("time", to_postgres_timestamp(target.time.value()));
      break;
    case TargetType::lsn:
      to("lsn", to_text(target.lsn.value()));
      break;
    case TargetType::xid:
      to("xid", std::to_string(target.xid.value()));
      break;
    case TargetType::name:
      to("name", target.name);
      break;
  }
  return options;
}

class Baselines {
 public:
  Baselines(const Scenario& scenario, const InjectedFault& injected, CommandRunner& runner,
            std::stop_token stop)
      : scenario_(scenario),
        laboratory_(*injected.site.primary),
        runner_(runner),
        stop_(std::move(stop)),
        root_((scenario.sandbox.directory.empty() ? injected.site.directory
                                                  : scenario.sandbox.directory) /
              "baselines"),
        data_(root_ / "data"),
        programs_(scenario.sandbox.binaries.value_or(
            fs::path(laboratory_.program("postgres")).parent_path())) {
    make_private_directory(root_, laboratory_.account());
    make_private_directory(data_, laboratory_.account());
  }

  std::map<std::string, std::string> ask() {
    std::map<std::string, std::string> answers;
    answers["pgbackrest verify"] = verify();
    answers["restore, start, select 1"] = restore_and_start();
    answers["pg_checksums, pg_amcheck"] = started_ ? check_copy() : std::string(no_copy);
    if (started_) run(programs_ / "pg_ctl", {"stop", "-m", "immediate", "-D", data_});
    return answers;
  }

 private:
  CommandResult run(const std::string& program, std::vector<std::string> arguments) {
    auto command = laboratory_.command(program, std::move(arguments));
    command.timeout = std::chrono::seconds(90);
    try {
      return runner_.run(command, stop_);
    } catch (const Error& error) {
      CommandResult failed;
      failed.exit_code = 127;
      failed.error_output = error.what();
      return failed;
    }
  }

  CommandResult run_pgbackrest(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"--config=" + scenario_.repository.configuration.value_or("").native(),
                      "--stanza=" + scenario_.repository.stanza, "--log-level-console=warn",
                      "--log-level-file=off"});
    return run(scenario_.repository.binary, std::move(arguments));
  }

  static std::string complaint(const CommandResult& result) {
    if (result.succeeded()) return {};
    const auto words = trim(result.error_output.empty() ? result.output : result.error_output);
    return fmt::format("exit code {}: {}", result.exit_code, words.substr(0, 300));
  }

  std::string verify() {
    const auto result = run_pgbackrest({"--output=text", "verify"});
    if (!result.succeeded()) return complaint(result);
    return result.output.find("status: error") == std::string::npos ? std::string()
                                                                    : result.output.substr(0, 300);
  }

  // A careful script: archiving off, no network, waits for the end of recovery.
  std::string restore_and_start() {
    std::vector<std::string> arguments{"--pg1-path=" + data_.native(), "--archive-mode=off",
                                       "--lock-path=" + (root_ / "lock").native()};
    if (scenario_.repository.backup != "latest") {
      arguments.push_back("--set=" + scenario_.repository.backup);
    }
    for (auto& option : target_options(scenario_.target)) arguments.push_back(std::move(option));
    arguments.emplace_back("restore");
    const auto restored = run_pgbackrest(std::move(arguments));
    if (!restored.succeeded()) return complaint(restored);
    const auto settings = fmt::format(
        "-c listen_addresses= -c unix_socket_directories={} -c fsync=off -c "
        "archive_command=false",
        root_.native());
    started_ = true;
    const auto start = run(programs_ / "pg_ctl", {"start", "--wait", "--timeout=30", "-D", data_,
                                                  "-l", root_ / "log", "-o", settings});
    if (!start.succeeded()) {
      run(programs_ / "pg_ctl", {"stop", "-m", "immediate", "-D", data_});
      started_ = false;
      return complaint(start) + ": " + last_fatal_line();
    }
    return select_one();
  }

  std::string last_fatal_line() const {
    const auto log = read_file_of(laboratory_.account(), root_ / "log");
    std::string fatal;
    for (const auto line : lines_of(log)) {
      if (line.find("FATAL:") != std::string_view::npos) fatal = line;
    }
    return fatal;
  }

  std::string select_one() {
    std::string said = "recovery did not end";
    const auto recovered = [&] {
      try {
        auto connection = Connection::open({{"host", root_.native()},
                                            {"port", "5432"},
                                            {"user", "postgres"},
                                            {"dbname", "postgres"}},
                                           stop_);
        connection.query("select 1");
        return connection.query("select pg_is_in_recovery()").text(0, 0) == "f";
      } catch (const Error& error) {
        said = error.what();
        return false;
      }
    };
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    return poll_until(deadline, std::chrono::milliseconds(100), stop_, recovered) ? "" : said;
  }

  std::string check_copy() {
    const auto amcheck = run(programs_ / "pg_amcheck",
                             {"--host=" + root_.native(), "--port=5432", "--username=postgres",
                              "--all", "--install-missing", "--heapallindexed", "--parent-check"});
    auto said = complaint(amcheck);
    const auto stopped = run(programs_ / "pg_ctl", {"stop", "-m", "fast", "-D", data_});
    started_ = !stopped.succeeded();
    const auto checksums = run(programs_ / "pg_checksums", {"--check", "-D", data_});
    if (said.empty()) said = complaint(checksums);
    return said;
  }

  const Scenario& scenario_;
  const Laboratory& laboratory_;
  CommandRunner& runner_;
  std::stop_token stop_;
  fs::path root_;
  fs::path data_;
  fs::path programs_;
  bool started_ = false;
};

}  // namespace

std::map<std::string, std::string> run_baselines(const Scenario& scenario,
                                                 const InjectedFault& injected,
                                                 CommandRunner& runner,
                                                 const std::stop_token& stop) {
  return Baselines(scenario, injected, runner, stop).ask();
}

}  // namespace pgrehearse
