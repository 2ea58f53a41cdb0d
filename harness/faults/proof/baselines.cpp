#include "harness/faults/proof/baselines.hpp"

#include <fmt/format.h>

#include <algorithm>

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

constexpr std::string_view backup_command = "taking the backup";
constexpr std::string_view script = "restore, start, select 1";
constexpr std::string_view examination = "pg_checksums, pg_amcheck";

std::vector<std::string> pgbackrest_target(const RecoveryTarget& target) {
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

// Name of PostgreSQL's setting and of Barman's option, without "recovery_target_" and "--target-".
struct NamedTarget {
  std::string name;
  std::string value;
};
NamedTarget named_target(const RecoveryTarget& target) {
  switch (target.type) {
    case TargetType::latest:
      return {};
    case TargetType::immediate:
      return {"immediate", {}};
    case TargetType::time:
      return {"time", to_postgres_timestamp(target.time.value())};
    case TargetType::lsn:
      return {"lsn", to_text(target.lsn.value())};
    case TargetType::xid:
      return {"xid", std::to_string(target.xid.value())};
    case TargetType::name:
      return {"name", target.name};
  }
  return {};
}

std::string postgres_target(const RecoveryTarget& target) {
  const auto [name, value] = named_target(target);
  auto text = fmt::format("recovery_target_timeline = {}\n", quote_setting(target.timeline));
  if (name.empty()) return text;
  text += "recovery_target_action = 'promote'\n";
  if (target.exclusive) text += "recovery_target_inclusive = off\n";
  return text + (name == "immediate"
                     ? std::string("recovery_target = 'immediate'\n")
                     : fmt::format("recovery_target_{} = {}\n", name, quote_setting(value)));
}

std::vector<std::string> barman_target(const RecoveryTarget& target) {
  const auto [name, value] = named_target(target);
  std::vector<std::string> options;
  if (target.timeline != "latest") {
    options.insert(options.end(), {"--target-tli", target.timeline});
  }
  if (name.empty()) return options;
  options.insert(options.end(), {"--target-action", "promote", "--target-" + name});
  if (!value.empty()) options.push_back(value);
  if (target.exclusive) options.emplace_back("--exclusive");
  return options;
}

class Baselines {
 public:
  Baselines(const Scenario& scenario, const InjectedFault& injected, CommandRunner& runner,
            std::stop_token stop)
      : scenario_(scenario),
        laboratory_(*injected.site.primary),
        tool_(injected.site.traits.tool),
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
    for (const auto& name : baselines_of(tool_)) {
      if (name == script) {
        answers[name] = restore_and_start();
      } else if (name == backup_command) {
        answers[name] = laboratory_.refused_backup();
      } else if (name == examination) {
        answers[name] = started_ ? check_copy() : std::string(no_copy);
      } else {
        answers[name] = verify(name);
      }
    }
    if (started_) run(programs_ / "pg_ctl", {"stop", "-m", "immediate", "-D", data_});
    return answers;
  }

 private:
  CommandResult run(const std::string& program, std::vector<std::string> arguments) {
    auto command = laboratory_.command(program, std::move(arguments));
    // Barman and pg_verifybackup look for PostgreSQL's binaries.
    command.environment["PATH"] = programs_.native() + ":/usr/local/bin:/usr/bin:/bin";
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

  CommandResult run_barman(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"--config", scenario_.repository.configuration.value_or("").native()});
    return run(scenario_.repository.binary, std::move(arguments));
  }

  static std::string complaint(const CommandResult& result) {
    if (result.succeeded()) return {};
    const auto words = trim(result.error_output.empty() ? result.output : result.error_output);
    return fmt::format("exit code {}: {}", result.exit_code, words.substr(0, 300));
  }

  // The backup of plain PostgreSQL or Barman to restore.
  std::string backup() const {
    const auto& named = scenario_.repository.backup;
    if (named != "latest") return named;
    if (tool_ == BackupTool::barman) return "latest";
    std::string newest;
    std::error_code unreadable;
    for (fs::directory_iterator entry(scenario_.repository.path, unreadable), end;
         !unreadable && entry != end; entry.increment(unreadable)) {
      newest = std::max(newest, entry->path().filename().native());
    }
    return newest;
  }

  std::string verify(const std::string& name) {
    if (name == "pg_verifybackup") {
      return complaint(run(programs_ / "pg_verifybackup", {scenario_.repository.path / backup()}));
    }
    if (name == "barman check")
      return complaint(run_barman({"check", scenario_.repository.stanza}));
    if (name == "barman verify-backup") {
      return complaint(run_barman({"verify-backup", scenario_.repository.stanza, backup()}));
    }
    const auto result = run_pgbackrest({"--output=text", "verify"});
    if (!result.succeeded()) return complaint(result);
    return result.output.find("status: error") == std::string::npos ? std::string()
                                                                    : result.output.substr(0, 300);
  }

  CommandResult restore() {
    if (tool_ == BackupTool::basebackup) return copy_base_backup();
    if (tool_ == BackupTool::barman) {
      std::vector<std::string> arguments{"recover"};
      for (auto& option : barman_target(scenario_.target)) arguments.push_back(std::move(option));
      arguments.insert(arguments.end(), {scenario_.repository.stanza, backup(), data_.native()});
      return run_barman(std::move(arguments));
    }
    std::vector<std::string> arguments{"--pg1-path=" + data_.native(), "--archive-mode=off",
                                       "--lock-path=" + (root_ / "lock").native()};
    if (scenario_.repository.backup != "latest") {
      arguments.push_back("--set=" + scenario_.repository.backup);
    }
    for (auto& option : pgbackrest_target(scenario_.target)) arguments.push_back(std::move(option));
    arguments.emplace_back("restore");
    return run_pgbackrest(std::move(arguments));
  }

  CommandResult copy_base_backup() {
    const auto from = scenario_.repository.path / backup();
    auto result = run("cp", {"-R", "--preserve=mode", (from / ".").native(), data_.native()});
    if (!result.succeeded()) return result;
    const auto& account = laboratory_.account();
    auto command = scenario_.repository.restore_command;
    if (command.empty())
      command = fmt::format("cp {}/%f \"%p\"", scenario_.repository.archive.native());
    const auto file = data_ / "postgresql.auto.conf";
    write_file_of(account, file,
                  read_file_of(account, file) + "restore_command = " + quote_setting(command) +
                      "\n" + postgres_target(scenario_.target),
                  0600);
    write_file_of(account, data_ / "recovery.signal", "", 0600);
    return result;
  }

  // A careful script: archiving off, no network, waits for the end of recovery.
  std::string restore_and_start() {
    const auto restored = restore();
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
  BackupTool tool_;
  CommandRunner& runner_;
  std::stop_token stop_;
  fs::path root_;
  fs::path data_;
  fs::path programs_;
  bool started_ = false;
};

}  // namespace

std::vector<std::string> baselines_of(BackupTool tool) {
  std::vector<std::string> names;
  switch (tool) {
    case BackupTool::pgbackrest:
      names = {"pgbackrest verify"};
      break;
    case BackupTool::basebackup:
      names = {std::string(backup_command), "pg_verifybackup"};
      break;
    case BackupTool::barman:
      names = {std::string(backup_command), "barman check", "barman verify-backup"};
      break;
  }
  names.insert(names.end(), {std::string(script), std::string(examination)});
  return names;
}

std::map<std::string, std::string> run_baselines(const Scenario& scenario,
                                                 const InjectedFault& injected,
                                                 CommandRunner& runner,
                                                 const std::stop_token& stop) {
  return Baselines(scenario, injected, runner, stop).ask();
}

}  // namespace pgrehearse
