#include "harness/sandbox/vm/vm_request.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include "harness/common/error.hpp"
#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/shared/account_files.hpp"
#include "harness/sandbox/shared/agent_paths.hpp"
#include "harness/sandbox/shared/host_command.hpp"
#include "harness/sandbox/shared/mounts.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

// Longer than any drill; leftovers end by themselves even if nobody runs `clean`.
constexpr std::string_view lifetime_seconds = "604800";
// For the kernel and the agent: the rest is for the instance, as in any other sandbox.
constexpr std::uint64_t reserve = std::uint64_t{128} << 20U;
// Each is a device on the machine's bus.
constexpr std::size_t most_shares = 20;

constexpr std::string_view kernel_words = "console=ttyS0 quiet panic=-1";
// When emulated, the first timer interrupts are too late for the kernel's check, and the CPU needs
// no mitigations.
constexpr std::string_view words_when_emulated = " no_timer_check tsc=unstable mitigations=off";

// QEMU's options are lists: a comma in a value is doubled.
std::string value(const fs::path& path) {
  std::string text;
  for (const char letter : path.native()) {
    text += letter;
    if (letter == ',') text += letter;
  }
  return text;
}

void append(std::vector<std::string>& words, std::initializer_list<std::string> more) {
  words.insert(words.end(), more.begin(), more.end());
}

void append_disks(std::vector<std::string>& words, const VmRequest& request) {
  const VmFiles files(request.directory.paths());
  append(words, {"-blockdev",
                 "driver=qcow2,node-name=image,read-only=on,file.driver=file,file.locking=off,"
                 "file.filename=" +
                     value(request.image.root_file()),
                 "-device", "virtio-blk-pci,drive=image"});
  // The disk is temporary: nothing needs to be flushed to this host's disk. On ENOSPC the kernel
  // inside gets an error instead of the machine being paused.
  const auto& limit = options_of<VmOptions>(request.spec).io_bandwidth;
  append(words, {"-blockdev", fmt::format("driver=raw,node-name={},discard=unmap,cache.no-flush=on,"
                                          "file.driver=file,file.filename={}",
                                          limit ? "unlimited" : "disk", value(files.disk))});
  if (limit) {
    append(words,
           {"-object",
            fmt::format("throttle-group,id=limit,x-bps-read={0},x-bps-write={0}", limit->count),
            "-blockdev",
            "driver=throttle,node-name=disk,throttle-group=limit,discard=unmap,file=unlimited"});
  }
  append(words, {"-device", "virtio-blk-pci,drive=disk,werror=report,rerror=report"});
}

void append_shares(std::vector<std::string>& words, const VmRequest& request) {
  const VmFiles files(request.directory.paths());
  const auto shares = vm_shares(request);
  const auto& bandwidth = options_of<VmOptions>(request.spec).io_bandwidth;
  const auto limit =
      bandwidth ? fmt::format(",throttling.bps-read={}", bandwidth->count) : std::string();
  int number = 0;
  for (const auto& directory : shares.directories) {
    const auto name = fmt::format("share{}", number++);
    append(words,
           {"-fsdev",
            fmt::format("local,id={},path={},security_model=none,readonly=on,multidevs=remap{}",
                        name, value(directory.path), limit),
            "-device", fmt::format("virtio-9p-pci,fsdev={0},mount_tag={0}", name)});
  }
  append(words,
         {"-fw_cfg", fmt::format("name={},file={}", agent::settings_name, value(files.settings))});
  number = 0;
  for (const auto& file : shares.files) {
    append(words, {"-fw_cfg", fmt::format("name={}{},file={}", agent::file_name_prefix, number++,
                                          value(file))});
  }
}

std::string cpio_entry(std::string_view name, std::string_view content, unsigned mode) {
  constexpr std::size_t alignment = 4;
  const auto pad = [](std::string& text) {
    text.append((alignment - text.size() % alignment) % alignment, '\0');
  };
  auto entry = fmt::format(
      "070701{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}", 1,
      mode, 0, 0, 1, 0, content.size(), 0, 0, 0, 0, name.size() + 1, 0);
  entry.append(name).append(1, '\0');
  pad(entry);
  entry.append(content);
  pad(entry);
  return entry;
}

}  // namespace

VmFiles::VmFiles(const SandboxPaths& paths)
    : directory(paths.root / "machine"),
      disk(directory / "disk"),
      initrd(directory / "initrd"),
      settings(directory / "settings"),
      program(directory / "agent"),
      logs(directory / "logs"),
      console(logs / "console.log"),
      qemu_log(logs / "qemu.log"),
      sessions(agent_socket(paths)),
      server(paths.sockets / ".s.PGSQL.5432") {}

std::vector<std::string> qemu_command(const VmRequest& request, VmAccelerator accelerator) {
  const VmFiles files(request.directory.paths());
  const auto megabytes = (memory_for(request.spec).count + reserve) >> 20U;
  std::vector<std::string> words{"qemu-system-x86_64", "-M", "pc,hpet=off"};
  std::string words_for_kernel(kernel_words);
  if (accelerator == VmAccelerator::kvm) {
    append(words, {"-accel", "kvm", "-cpu", "host"});
  } else {
    append(words, {"-accel", "tcg,thread=multi", "-cpu", "max"});
    words_for_kernel += words_when_emulated;
  }
  append(words,
         {"-name", "pgrehearse-" + request.spec.run_id, "-smp",
          std::to_string(cpus_for(request.spec)), "-m", std::to_string(megabytes), "-nodefaults",
          "-no-user-config", "-no-reboot", "-display", "none", "-nic", "none", "-sandbox",
          "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"});
  append(words, {"-kernel", request.image.kernel_file().string(), "-initrd", files.initrd.string(),
                 "-append", words_for_kernel});
  append_disks(words, request);
  append(words, {"-device", "virtio-serial-pci", "-chardev", "socket,id=agent,fd=@", "-device",
                 fmt::format("virtserialport,chardev=agent,name={}", agent::port_name)});
  append_shares(words, request);
  append(words, {"-serial", "file:" + files.console.string()});
  return words;
}

agent::Settings vm_settings(const VmRequest& request) {
  const auto& paths = request.directory.paths();
  const auto& account = request.directory.account();
  agent::Settings settings{{"root", paths.root.string()},
                           {"sockets", paths.sockets.string()},
                           {"uid", std::to_string(account.uid)},
                           {"gid", std::to_string(account.gid)},
                           {"lifetime", std::string(lifetime_seconds)}};
  for (const auto group : account.groups) settings.emplace_back("group", std::to_string(group));
  for (const auto& directory :
       {paths.data, paths.tablespaces, paths.sockets, paths.logs, paths.configuration, paths.wal,
        paths.pgbackrest, paths.temporary, paths.pgbackrest / "lock", paths.pgbackrest / "log",
        paths.pgbackrest / "spool"}) {
    if (is_below(directory, paths.root)) settings.emplace_back("directory", directory.string());
  }
  const auto shares = vm_shares(request);
  if (shares.directories.size() > most_shares) {
    throw Error(
        ErrorKind::environment,
        fmt::format("the repository consists of {} separate directories, a virtual machine can "
                    "mount {} at most",
                    shares.directories.size(), most_shares),
        "use sandbox.type: local", FindingCode::env_vm);
  }
  int number = 0;
  for (const auto& directory : shares.directories) {
    settings.emplace_back("share", fmt::format("share{}", number++));
    settings.emplace_back("at", directory.inside.string());
  }
  number = 0;
  for (const auto& file : shares.files) {
    struct stat status {};
    constexpr unsigned permissions = 07777;
    if (stat(file.c_str(), &status) != 0) status.st_mode = 0;
    settings.emplace_back("file", std::to_string(number++));
    settings.emplace_back("at", file.string());
    settings.emplace_back("mode", fmt::format("{:o}", status.st_mode & permissions));
    settings.emplace_back("owner", std::to_string(status.st_uid));
    settings.emplace_back("owner_group", std::to_string(status.st_gid));
  }
  const std::vector<Account> accounts{account, {.name = "root", .groups = {}, .home = "/"}};
  settings.emplace_back("passwd", passwd_text(accounts, paths.temporary));
  settings.emplace_back("group_file", group_text(accounts));
  return settings;
}

std::string vm_initrd(std::string_view program) {
  constexpr unsigned directory = 0040755;
  constexpr unsigned executable = 0100755;
  return cpio_entry("dev", "", directory) + cpio_entry("init", program, executable) +
         cpio_entry("TRAILER!!!", "", 0);
}

VmShares vm_shares(const VmRequest& request) {
  VmShares shares;
  if (backup_tool_runs_outside(request.spec)) {
    shares.directories = written_outside(request.directory.paths());
    return shares;
  }
  // A 9p share includes the file systems mounted below it.
  for (const auto& path : with_mounts_below(request.spec.readable, "")) {
    std::error_code unreadable;
    if (fs::is_directory(path, unreadable)) {
      shares.directories.push_back({.path = path, .inside = path});
    } else if (fs::exists(path, unreadable)) {
      shares.files.push_back(path);
    }
  }
  return shares;
}

std::vector<VmShares::Directory> written_outside(const SandboxPaths& paths) {
  std::vector<VmShares::Directory> directories;
  for (const auto& path : {paths.data, paths.tablespaces, paths.wal}) {
    directories.push_back({.path = path, .inside = paths.root / "outside" / path.filename()});
  }
  return directories;
}

Bytes vm_disk_size(const SandboxSpec& spec) {
  constexpr std::uint64_t more = std::uint64_t{4} << 30U;
  return options_of<VmOptions>(spec).disk.value_or(Bytes{2 * spec.needed.count + more});
}

}  // namespace pgrehearse
