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
#include "harness/process/command.hpp"
#include "harness/process/process_table.hpp"
#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/removal.hpp"
#include "harness/sandbox/sandbox_files.hpp"
#include "harness/sandbox/vm/vm_host.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

// Where a processor's own help works, the machine answers within two or three seconds.
constexpr auto kvm_boot_timeout = std::chrono::seconds(20);
constexpr auto tool_timeout = std::chrono::minutes(2);

[[noreturn]] void throw_failed(const std::string& message, std::string hint) {
  throw Error(ErrorKind::environment, message, std::move(hint), FindingCode::env_vm);
}

std::vector<std::string> candidates(const SandboxSpec& spec) {
  if (spec.binaries) return {spec.binaries->string()};
  return {fmt::format("/usr/lib/postgresql/{}/bin", spec.postgres_major),
          fmt::format("/usr/pgsql-{}/bin", spec.postgres_major), "/usr/local/bin", "/usr/bin"};
}

void make_sparse_file(const Account& account, const fs::path& path, Bytes size) {
  const ActingAccount acting(account);
  std::error_code failure;
  fs::remove(path, failure);
  std::ofstream(path).flush();
  fs::resize_file(path, size.count, failure);
  if (!failure) return;
  throw_failed(
      fmt::format("the machine's disk of {} cannot be made: {}", to_text(size), failure.message()),
      "see sandbox.directory and sandbox.disk");
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

VmSandbox::VmSandbox(CommandRunner& host, SandboxSpec spec, HostDirectory place, VmImage image,
                     CommandObserver observer)
    : host_(host),
      spec_(std::move(spec)),
      place_(std::move(place)),
      image_(std::move(image)),
      observer_(std::move(observer)),
      files_(place_.paths()),
      inside_(
          files_.sessions,
          {.image = image_.directory.string(),
           .image_hint = "name an image that has it with sandbox.image; docker/vm/build makes one",
           .ended = "the virtual machine ended while a command ran in it",
           .ended_hint = "see machine/console.log among the logs of the run",
           .code = FindingCode::env_vm,
           .account = place_.account().uid}) {}

VmSandbox::~VmSandbox() {
  if (destroyed_ || place_.entry().kept) return;
  try {
    VmSandbox::destroy();
  } catch (...) {
    // The entry stays: `clean` and the next run find what is left.
  }
}

void VmSandbox::make(const std::stop_token& stop) {
  place_.make_root();
  write_machine_files();
  boot(stop);
  find_programs(stop);
}

CommandResult VmSandbox::run_outside(Command command, const std::stop_token& stop) const {
  reap_adopted_children();
  if (!command.account) command.account = place_.account();
  command.environment["PATH"] = path_for_host_programs();
  command.environment[run_label] = spec_.run_id;
  command.environment[root_label] = paths().root.string();
  command.environment["TMPDIR"] = files_.directory.string();
  command.confine_writes_to = {paths().root, paths().sockets, "/dev/null", "/dev/kvm"};
  auto result = host_.run(command, stop);
  throw_if_cancelled(result);
  return result;
}

void VmSandbox::write_machine_files() const {
  for (const auto& directory : {files_.directory, files_.logs}) {
    make_private_directory(directory, place_.account());
  }
  if (place_.entry().sockets.empty()) make_private_directory(paths().sockets, place_.account());
  constexpr int executable = 0700;
  const auto program = agent_binary();
  place_.write_file(files_.program, program, executable);
  std::ifstream modules(image_.modules_file(), std::ios::binary);
  const std::string archive{std::istreambuf_iterator<char>(modules), {}};
  place_.write_file(files_.initrd, archive + vm_initrd(program), 0600);
  const VmRequest request{.place = place_, .spec = spec_, .image = image_};
  place_.write_file(files_.settings, agent::to_bytes(vm_settings(request)), 0600);
}

void VmSandbox::make_disk(const std::stop_token& stop) const {
  const auto size = vm_disk_size(spec_);
  make_sparse_file(place_.account(), files_.disk, size);
  const auto made =
      run_outside({.program = "mke2fs",
                   .arguments = {"-q", "-F", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-E",
                                 fmt::format("lazy_itable_init=1,nodiscard,root_owner={}:{}",
                                             place_.account().uid, place_.account().gid),
                                 files_.disk.string(), fmt::format("{}k", size.count >> 10U)},
                   .timeout = std::chrono::minutes(5)},
                  stop);
  if (made.succeeded()) return;
  throw_failed(fmt::format("the machine's disk of {} cannot be made: {}", to_text(size),
                           last_line(made.error_output)),
               "see sandbox.directory and sandbox.disk");
}

void VmSandbox::boot(const std::stop_token& stop) {
  auto slow = spec_.accelerator == "tcg" ? std::string("sandbox.accelerator is tcg")
                                         : kvm_obstacle(place_.account());
  if (slow.empty()) {
    try {
      return boot_with(VmAccelerator::kvm,
                       std::min<std::chrono::milliseconds>(kvm_boot_timeout, spec_.boot_timeout),
                       stop);
    } catch (const Error& error) {
      if (error.code() != FindingCode::env_vm || spec_.accelerator == "kvm") throw;
      slow = error.what();
    }
    // What is left of the first attempt goes before the second.
    end_processes({.label = fmt::format("{}={}", root_label, paths().root.string()),
                   .directories = {paths().root},
                   .owner = place_.account().uid},
                  std::chrono::seconds(0));
  } else if (spec_.accelerator == "kvm") {
    throw_failed("the virtual machine cannot use KVM: " + slow,
                 "leave out sandbox.accelerator to have the machine emulated, which is slow");
  }
  spdlog::warn("the virtual machine is emulated, which is many times slower: {}", slow);
  boot_with(VmAccelerator::tcg, spec_.boot_timeout, stop);
}

void VmSandbox::boot_with(VmAccelerator accelerator, std::chrono::milliseconds deadline,
                          const std::stop_token& stop) {
  make_disk(stop);
  Command command{.program = files_.program,
                  .arguments = {"supervise", files_.sessions, files_.server, files_.qemu_log},
                  .timeout = deadline,
                  .grace = std::chrono::seconds(1)};
  if (accelerator == VmAccelerator::kvm) command.account = with_kvm_group(place_.account());
  const auto qemu = qemu_command({.place = place_, .spec = spec_, .image = image_}, accelerator);
  command.arguments.insert(command.arguments.end(), qemu.begin(), qemu.end());
  auto result = run_outside(std::move(command), stop);
  result.output += console();
  if (observer_) {
    observer_({.program = qemu.front(), .arguments = {qemu.begin() + 1, qemu.end()}}, result);
  }
  if (result.succeeded()) return;
  const auto words = last_line(result.output);
  const std::string where = "see the log of qemu-system-x86_64 among those of the run";
  if (result.timed_out) {
    throw_failed(fmt::format("the virtual machine did not start within {}{}", to_text(deadline),
                             words.empty() ? "; its console is silent" : ": " + words),
                 (words.empty() ? "" : where + "; ") + "sandbox.boot_timeout gives it more time");
  }
  // QEMU's log, with the supervisor's line about how it ended.
  const auto said = result.signal == 0
                        ? last_lines(result.error_output, 2)
                        : fmt::format("its supervisor was terminated by signal {}", result.signal);
  throw_failed(fmt::format("the virtual machine does not start: {}{}{}", said,
                           said.empty() || words.empty() ? "" : "; ", words),
               where);
}

void VmSandbox::find_programs(const std::stop_token& stop) {
  if (spec_.postgres_major == 0) return;
  const auto places = candidates(spec_);
  for (const auto& place : places) {
    try {
      const auto seen = run(
          {.program = place + "/postgres", .arguments = {"-V"}, .timeout = std::chrono::minutes(2)},
          stop);
      throw_if_cancelled(seen);
      constexpr std::string_view before = "(PostgreSQL) ";
      const auto at = seen.output.find(before);
      if (at == std::string::npos) continue;
      const auto major = number_in(std::string_view(seen.output).substr(at + before.size()));
      if (major != static_cast<std::uint64_t>(spec_.postgres_major)) continue;
      spec_.binaries = place;
      return;
    } catch (const Error& error) {
      if (error.code() != FindingCode::env_binary) throw;
    }
  }
  throw Error(ErrorKind::environment,
              fmt::format("the image {} has no programs of PostgreSQL {} in {}",
                          image_.directory.string(), spec_.postgres_major, join(places, ", ")),
              "name an image that has them with sandbox.image, or their place in it with "
              "sandbox.binaries",
              FindingCode::env_binaries, image_.directory);
}

CommandResult VmSandbox::run(const Command& command, std::stop_token stop) {
  reap_adopted_children();
  auto inside = command;
  inside.environment = environment_inside(place_, command);
  inside.environment.emplace("PATH", "/usr/local/bin:/usr/bin:/bin");
  auto result = inside_.run(inside, std::move(stop));
  if (observer_) observer_(command, result);
  return result;
}

CommandResult VmSandbox::run_tool(std::vector<std::string> words, std::string_view input,
                                  std::size_t keep_output) const {
  return inside_.run({.program = std::string(agent::self_path),
                      .arguments = std::move(words),
                      .timeout = tool_timeout,
                      .keep_output = keep_output},
                     input, {});
}

ConnectionParameters VmSandbox::server() const { return server_in(paths(), spec_); }

std::string VmSandbox::program(std::string_view name) const { return program_in(spec_, name); }

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
  if (place_.free_space() < least) {
    throw Error(ErrorKind::environment,
                fmt::format("there is no room left for the machine's disk in {}",
                            paths().root.parent_path().string()),
                "free space, or name a larger place with sandbox.directory",
                FindingCode::env_disk_full, paths().root.parent_path());
  }
  CommandResult killed;
  try {
    killed = run_tool({"killed"});
  } catch (const Error&) {
    throw_failed("the virtual machine ended while the drill ran: " + last_line(console()),
                 "see machine/ among the logs of the run");
  }
  if (killed.timed_out) {
    throw_failed("the virtual machine does not answer any more: " + last_line(console()),
                 "see machine/ among the logs of the run");
  }
  if (number_in(killed.output) == 0) return;
  throw Error(ErrorKind::environment,
              fmt::format("the virtual machine ran out of memory: it has {} for the instance",
                          to_text(memory())),
              "raise sandbox.memory", FindingCode::env_memory, "virtual machine");
}

void VmSandbox::collect_logs(const fs::path& into) {
  copy_files_of(place_.account(), files_.logs, into / "machine");
  try {
    collect_files(paths().logs, into / "postgres");
    collect_files(paths().pgbackrest / "log", into / "pgbackrest");
    collect_files(paths().configuration, into / "configuration");
  } catch (const Error& error) {
    spdlog::debug("collecting the logs of the virtual machine: {}", error.what());
  }
}

// The names are the machine's: none may lead out of `into`.
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
    auto text = place_.read_file(files_.console, 0);
    if (text.size() > end) text.erase(0, text.size() - end);
    return text;
  } catch (const Error& error) {
    return error.what();
  }
}

Removal VmSandbox::destroy() {
  if (destroyed_) return removal_;
  removal_ = remove_local_sandbox(place_.entry());
  if (removal_.complete()) {
    place_.forget();
    destroyed_ = true;
  }
  return removal_;
}

}  // namespace pgrehearse
