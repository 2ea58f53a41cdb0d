#include "harness/sandbox/vm/vm_sandbox.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <utility>

#include "harness/agent/client/agent_program.hpp"
#include "harness/agent/protocol.hpp"
#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/process/acting_account.hpp"
#include "harness/process/process_table.hpp"
#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/removal.hpp"
#include "harness/sandbox/sandbox_files.hpp"
#include "harness/sandbox/shared/host_command.hpp"
#include "harness/sandbox/shared/image_binaries.hpp"
#include "harness/sandbox/vm/vm_host.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

// With working KVM the machine boots within two or three seconds.
constexpr auto kvm_boot_timeout = std::chrono::seconds(20);
constexpr auto tool_timeout = std::chrono::minutes(2);

[[noreturn]] void throw_failed(const std::string& message, std::string hint) {
  throw Error(ErrorKind::environment, message, std::move(hint), FindingCode::env_vm);
}

void make_sparse_file(const Account& account, const fs::path& path, Bytes size) {
  const ActingAccount acting(account);
  std::error_code failure;
  fs::remove(path, failure);
  std::ofstream(path).flush();
  fs::resize_file(path, size.count, failure);
  if (!failure) return;
  throw_failed(
      fmt::format("cannot create the machine's disk of {}: {}", to_text(size), failure.message()),
      "check sandbox.directory and sandbox.disk");
}

std::uint64_t number_in(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string last_lines(const std::string& text, std::size_t count) {
  std::vector<std::string> lines;
  for (const auto line : lines_of(text)) {
    if (!trim(line).empty()) lines.emplace_back(trim(line));
  }
  while (lines.size() > count) lines.erase(lines.begin());
  return join(lines, "; ");
}

std::string last_line(const std::string& text) { return last_lines(text, 1); }

}  // namespace

VmSandbox::VmSandbox(CommandRunner& host, SandboxSpec spec, HostDirectory directory, VmImage image,
                     CommandObserver observer)
    : HostedSandbox(std::move(spec), std::move(directory)),
      host_(host),
      image_(std::move(image)),
      observer_(std::move(observer)),
      files_(paths()),
      inside_(
          files_.sessions,
          {.image = image_.directory.string(),
           .image_hint = "set sandbox.image to an image that has it; docker/vm/build builds one",
           .ended = "the virtual machine terminated while a command was running in it",
           .ended_hint = "see machine/console.log in the run's logs",
           .code = FindingCode::env_vm,
           .account = this->directory().account().uid}) {}

Removal VmSandbox::remove_everything() {
  wal_relay_.reset();
  return HostedSandbox::remove_everything();
}

void VmSandbox::make(const std::stop_token& stop) {
  if (backup_tool_runs_outside(spec())) {
    directory().make_directories();
  } else {
    directory().make_root();
  }
  write_machine_files();
  boot(stop);
  find_binaries(stop);
}

CommandResult VmSandbox::run_outside(Command command, const std::stop_token& stop) const {
  reap_adopted_children();
  if (!command.account) command.account = directory().account();
  command.environment["PATH"] = path_for_host_programs();
  command.environment[run_label] = spec().run_id;
  command.environment[root_label] = paths().root.string();
  command.environment["TMPDIR"] = files_.directory.string();
  command.confine_writes_to = {paths().root, paths().sockets, "/dev/null", "/dev/kvm"};
  auto result = host_.run(command, stop);
  throw_if_cancelled(result);
  return result;
}

void VmSandbox::write_machine_files() const {
  for (const auto& path : {files_.directory, files_.logs}) {
    make_private_directory(path, directory().account());
  }
  if (directory().entry().sockets.empty() && !backup_tool_runs_outside(spec())) {
    make_private_directory(paths().sockets, directory().account());
  }
  constexpr int executable = 0700;
  const auto program = agent_binary();
  directory().write_file(files_.program, program, executable);
  std::ifstream modules(image_.modules_file(), std::ios::binary);
  const std::string archive{std::istreambuf_iterator<char>(modules), {}};
  directory().write_file(files_.initrd, archive + vm_initrd(program), 0600);
  const VmRequest request{.directory = directory(), .spec = spec(), .image = image_};
  directory().write_file(files_.settings, agent::to_bytes(vm_settings(request)), 0600);
}

void VmSandbox::make_disk(const std::stop_token& stop) const {
  const auto size = vm_disk_size(spec());
  make_sparse_file(directory().account(), files_.disk, size);
  const auto made =
      run_outside({.program = "mke2fs",
                   .arguments = {"-q", "-F", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-E",
                                 fmt::format("lazy_itable_init=1,nodiscard,root_owner={}:{}",
                                             directory().account().uid, directory().account().gid),
                                 files_.disk.string(), fmt::format("{}k", size.count >> 10U)},
                   .timeout = std::chrono::minutes(5)},
                  stop);
  if (made.succeeded()) return;
  throw_failed(fmt::format("cannot create the machine's disk of {}: {}", to_text(size),
                           last_line(made.error_output)),
               "check sandbox.directory and sandbox.disk");
}

void VmSandbox::boot(const std::stop_token& stop) {
  const auto& options = options_of<VmOptions>(spec());
  auto obstacle = options.accelerator == "tcg" ? std::string("sandbox.accelerator is tcg")
                                               : kvm_obstacle(directory().account());
  if (obstacle.empty()) {
    try {
      return boot_with(VmAccelerator::kvm,
                       std::min<std::chrono::milliseconds>(kvm_boot_timeout, options.boot_timeout),
                       stop);
    } catch (const Error& error) {
      if (error.code() != FindingCode::env_vm || options.accelerator == "kvm") throw;
      obstacle = error.what();
    }
    // End the first attempt before the second.
    end_processes({.label = fmt::format("{}={}", root_label, paths().root.string()),
                   .directories = {paths().root},
                   .owner = directory().account().uid},
                  std::chrono::seconds(0));
  } else if (options.accelerator == "kvm") {
    throw_failed("the virtual machine cannot use KVM: " + obstacle,
                 "remove sandbox.accelerator to emulate the CPU, which is slow");
  }
  spdlog::warn("the virtual machine is emulated, which is many times slower: {}", obstacle);
  boot_with(VmAccelerator::tcg, options.boot_timeout, stop);
}

void VmSandbox::boot_with(VmAccelerator accelerator, std::chrono::milliseconds timeout,
                          const std::stop_token& stop) {
  make_disk(stop);
  Command command{.program = files_.program,
                  .arguments = {"supervise", files_.sessions, files_.server, files_.qemu_log},
                  .timeout = timeout,
                  .grace = std::chrono::seconds(1)};
  if (accelerator == VmAccelerator::kvm) command.account = with_kvm_group(directory().account());
  const auto qemu =
      qemu_command({.directory = directory(), .spec = spec(), .image = image_}, accelerator);
  command.arguments.insert(command.arguments.end(), qemu.begin(), qemu.end());
  auto result = run_outside(std::move(command), stop);
  result.output += console();
  if (observer_) {
    observer_({.program = qemu.front(), .arguments = {qemu.begin() + 1, qemu.end()}}, result);
  }
  if (result.succeeded()) return;
  const auto words = last_line(result.output);
  const std::string where = "see the log of qemu-system-x86_64 in the run's logs";
  if (result.timed_out) {
    throw_failed(fmt::format("the virtual machine did not start within {}{}", to_text(timeout),
                             words.empty() ? "; its console shows nothing" : ": " + words),
                 (words.empty() ? "" : where + "; ") + "raise sandbox.boot_timeout");
  }
  // The errors of QEMU, and of its supervisor on how it ended.
  const auto said = result.signal == 0
                        ? last_lines(result.error_output, 2)
                        : fmt::format("its supervisor was killed by signal {}", result.signal);
  throw_failed(fmt::format("the virtual machine did not start: {}{}{}", said,
                           said.empty() || words.empty() ? "" : "; ", words),
               where);
}

void VmSandbox::find_binaries(const std::stop_token& stop) {
  if (spec().postgres_major == 0) return;
  auto binaries =
      find_image_binaries(spec(), [&](const Command& command) { return run(command, stop); });
  if (!binaries) throw missing_binaries(spec(), image_.directory);
  set_binaries(std::move(*binaries));
}

CommandResult VmSandbox::run(const Command& command, std::stop_token stop) {
  reap_adopted_children();
  auto inside = command;
  inside.environment = environment_inside(directory(), command, !backup_tool_runs_outside(spec()));
  inside.environment.emplace("PATH", "/usr/local/bin:/usr/bin:/bin");
  auto result = inside_.run(inside, std::move(stop));
  if (observer_) observer_(command, result);
  return result;
}

CommandResult VmSandbox::run_backup_tool(const Command& command, std::stop_token stop) {
  if (!backup_tool_runs_outside(spec())) return run(command, std::move(stop));
  const std::lock_guard lock(outside_);
  reap_adopted_children();
  auto result = run_with_control_file(command, stop);
  if (result.succeeded()) bring_in(stop);
  // The directories stay: QEMU has opened them.
  const ActingAccount acting(directory().account());
  for (const auto& written : written_outside(paths())) {
    std::error_code failure;
    for (fs::directory_iterator entry(written.path, failure), end; !failure && entry != end;
         entry.increment(failure)) {
      std::error_code left;
      fs::remove_all(entry->path(), left);
    }
  }
  return result;
}

CommandResult VmSandbox::run_with_control_file(const Command& command,
                                               const std::stop_token& stop) {
  constexpr std::string_view option = "--pg1-path=";
  fs::path control;
  std::string content;
  for (const auto& argument : command.arguments) {
    if (!argument.starts_with(option)) continue;
    control = fs::path(argument.substr(option.size())) / "global/pg_control";
    content = is_below(control, paths().root) ? read_file(control) : std::string();
  }
  const fs::path destination = command.arguments.empty() ? "" : command.arguments.back();
  {
    const ActingAccount acting(directory().account());
    std::error_code failure;
    if (!content.empty()) fs::create_directories(control.parent_path(), failure);
    if (is_below(destination, paths().root)) {
      fs::create_directories(destination.parent_path(), failure);
    }
  }
  if (!content.empty()) directory().write_file(control, content, 0600);
  auto result = host_.run(host_command(directory(), command), stop);
  if (!content.empty()) {
    const ActingAccount acting(directory().account());
    std::error_code failure;
    fs::remove(control, failure);
  }
  return result;
}

void VmSandbox::bring_in(const std::stop_token& stop) {
  for (const auto& [path, inside] : written_outside(paths())) {
    const auto copied = run({.program = "cp",
                             .arguments = {"-R", "-P", (inside / ".").string(), path.string()},
                             .timeout = std::chrono::hours(24),
                             .unlisted = true},
                            stop);
    throw_if_cancelled(copied);
    if (copied.succeeded()) continue;
    throw Error(ErrorKind::environment,
                "cannot copy restored files into the machine: " + last_line(copied.error_output),
                "check sandbox.disk", FindingCode::env_vm);
  }
}

std::vector<std::string> VmSandbox::fetch_command(std::vector<std::string> archive_get,
                                                  const fs::path& data) {
  if (!backup_tool_runs_outside(spec())) return archive_get;
  if (!wal_relay_) {
    wal_relay_ = std::make_unique<VmWalRelay>(
        inside_, *this, [this](const Command& command, const std::stop_token& stop) {
          return run_backup_tool(command, stop);
        });
  }
  return wal_relay_->client_of({.archive_get = std::move(archive_get), .data = data});
}

CommandResult VmSandbox::run_tool(std::vector<std::string> words, std::string_view input,
                                  std::size_t keep_output) const {
  return inside_.run({.program = std::string(agent::self_path),
                      .arguments = std::move(words),
                      .timeout = tool_timeout,
                      .keep_output = keep_output},
                     input, {});
}

Bytes VmSandbox::free_space() const {
  return {number_in(run_tool({"free", paths().data.string()}).output)};
}

Bytes VmSandbox::size_of(const fs::path& path) const {
  return {number_in(run_tool({"size", path.string()}).output)};
}

std::string VmSandbox::read_file(const fs::path& path, std::uint64_t offset) const {
  auto result = run_tool({"read", path.string(), std::to_string(offset)});
  if (result.succeeded()) return std::move(result.output);
  throw Error(ErrorKind::environment, "cannot read " + last_line(result.error_output), {},
              FindingCode::env_file, path.string());
}

void VmSandbox::write_file(const fs::path& path, std::string_view content, int mode) {
  const auto result = run_tool({"write", path.string(), fmt::format("{:o}", mode)}, content);
  if (result.succeeded()) return;
  throw Error(ErrorKind::environment, "cannot write " + last_line(result.error_output), {},
              FindingCode::env_file, path.string());
}

void VmSandbox::require_sound(std::stop_token stop) {
  if (stop.stop_requested()) return;
  constexpr Bytes least{std::uint64_t{1} << 20U};
  if (directory().free_space() < least) {
    throw Error(ErrorKind::environment,
                fmt::format("no space left for the machine's disk in {}",
                            paths().root.parent_path().string()),
                "free disk space, or set sandbox.directory to a larger file system",
                FindingCode::env_disk_full, paths().root.parent_path());
  }
  CommandResult killed;
  try {
    killed = run_tool({"killed"});
  } catch (const Error&) {
    throw_failed("the virtual machine terminated during the drill: " + last_line(console()),
                 "see machine/ in the run's logs");
  }
  if (killed.timed_out) {
    throw_failed("the virtual machine stopped responding: " + last_line(console()),
                 "see machine/ in the run's logs");
  }
  if (number_in(killed.output) == 0) return;
  throw Error(ErrorKind::environment,
              fmt::format("the virtual machine ran out of memory: it has {} for the instance",
                          to_text(memory())),
              "raise sandbox.memory", FindingCode::env_memory, "virtual machine");
}

void VmSandbox::collect_logs(const fs::path& into) {
  copy_files_of(directory().account(), files_.logs, into / "machine");
  copy_files_of(directory().account(), paths().pgbackrest / "log", into / "pgbackrest");
  try {
    collect_files(paths().logs, into / "postgres");
    if (!backup_tool_runs_outside(spec())) {
      collect_files(paths().pgbackrest / "log", into / "pgbackrest");
    }
    collect_files(paths().configuration, into / "configuration");
  } catch (const Error& error) {
    spdlog::debug("cannot collect the logs of the virtual machine: {}", error.what());
  }
}

// The machine chooses the names: reject those that lead out of `into`.
void VmSandbox::collect_files(const fs::path& from, const fs::path& into) const {
  constexpr std::size_t newest = std::size_t{32} << 20U;
  const auto listed = run_tool({"files", from.string()});
  for (const auto name : split(listed.output, '\0')) {
    const auto relative = fs::path(name).lexically_normal().lexically_relative(from);
    if (name.empty() || relative.empty() || *relative.begin() == "..") continue;
    const auto content = run_tool({"read", std::string(name), "0"}, {}, newest);
    if (!content.succeeded()) continue;
    std::error_code failure;
    fs::create_directories((into / relative).parent_path(), failure);
    std::ofstream(into / relative, std::ios::binary) << content.output;
  }
}

std::string VmSandbox::console() const {
  constexpr std::size_t end = std::size_t{1} << 20U;
  try {
    auto text = directory().read_file(files_.console, 0);
    if (text.size() > end) text.erase(0, text.size() - end);
    return text;
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace pgrehearse
