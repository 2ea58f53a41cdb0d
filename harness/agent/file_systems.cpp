#include "harness/agent/file_systems.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace pgrehearse::agent {

namespace {

constexpr const char* new_root = "/root";
constexpr unsigned long guarded = MS_NOSUID | MS_NODEV;
constexpr mode_t open_directory = 0755;
constexpr mode_t private_directory = 0700;
constexpr int decimal = 10;
constexpr int octal = 8;

void require(bool done, const std::string& what) {
  if (!done) throw Failure{what, errno};
}

std::string content_of(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  require(static_cast<bool>(file), path);
  std::string content;
  std::array<char, 65536> buffer{};
  while (true) {
    const auto count = read(file.get(), buffer.data(), buffer.size());
    require(count >= 0, path);
    if (count == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

void write_content(const std::string& path, std::string_view content, mode_t mode) {
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  require(file && write(file.get(), content.data(), content.size()) ==
                      static_cast<ssize_t>(content.size()),
          path);
  require(fchmod(file.get(), mode) == 0, path);
}

void make_directories(const std::string& path) {
  for (auto slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    mkdir(path.substr(0, slash).c_str(), open_directory);
  }
  require(mkdir(path.c_str(), open_directory) == 0 || errno == EEXIST, path);
}

void attach(const char* source, const std::string& target, const char* type, unsigned long flags,
            const char* options = "") {
  make_directories(target);
  require(mount(source, target.c_str(), type, flags, options) == 0,
          std::string("mounting ") + target);
}

void use_console() {
  const int console = open("/dev/console", O_RDWR);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(console, stream);
}

// The image lists the modules in dependency order.
void load_modules() {
  std::string list = content_of("/modules/order");
  for (std::size_t at = 0; at < list.size();) {
    const auto end = std::min(list.find('\n', at), list.size());
    const auto name = "/modules/" + list.substr(at, end - at);
    at = end + 1;
    const Descriptor file(open(name.c_str(), O_RDONLY | O_CLOEXEC));
    require(file && (syscall(SYS_finit_module, file.get(), "", 0) == 0 || errno == EEXIST), name);
  }
}

std::string firmware_file(std::string_view name) {
  return content_of("/sys/firmware/qemu_fw_cfg/by_name/" + std::string(name) + "/raw");
}

Settings read_settings() {
  const auto bytes = firmware_file(settings_name);
  Reader reader(bytes);
  Settings settings;
  while (true) {
    auto key = reader.string();
    if (key.empty()) return settings;
    settings.emplace_back(std::move(key), reader.string());
  }
}

// A disk may appear shortly after its driver is loaded.
void wait_for(const char* device) {
  struct stat status {};
  for (int attempt = 0; attempt < 1000; ++attempt) {
    if (stat(device, &status) == 0) return;
    usleep(10000);
  }
  require(false, device);
}

// The image, with a small overlay in memory for the directories and files created in it.
void mount_image() {
  wait_for("/dev/vda");
  attach("/dev/vda", "/image", "ext4", MS_RDONLY | guarded);
  attach("tmpfs", "/memory", "tmpfs", guarded, "size=16m,mode=0755");
  make_directories("/memory/upper");
  make_directories("/memory/work");
  attach("overlay", new_root, "overlay", guarded,
         "lowerdir=/image,upperdir=/memory/upper,workdir=/memory/work");
  for (const char* directory : {"/tmp", "/run"}) {
    attach("tmpfs", new_root + std::string(directory), "tmpfs", guarded | MS_NOEXEC,
           "size=64m,mode=1777");
  }
}

// Makes it private to the account that everything runs as.
void make_private(const std::string& path, const Settings& settings) {
  const auto number = [&](std::string_view key) {
    return static_cast<unsigned>(std::strtoul(value_of(settings, key).c_str(), nullptr, decimal));
  };
  require(chmod(path.c_str(), private_directory) == 0 &&
              chown(path.c_str(), number("uid"), number("gid")) == 0,
          path);
}

void mount_disk(const Settings& settings) {
  wait_for("/dev/vdb");
  const auto root = new_root + value_of(settings, "root");
  attach("/dev/vdb", root, "ext4", guarded | MS_NOATIME, "nobarrier");
  rmdir((root + "/lost+found").c_str());
  make_private(root, settings);
  for (const auto& [key, value] : settings) {
    if (key != "directory") continue;
    const auto path = new_root + value;
    require(mkdir(path.c_str(), private_directory) == 0, path);
    make_private(path, settings);
  }
}

void mount_shares(const Settings& settings) {
  std::string tag;
  for (const auto& [key, value] : settings) {
    if (key == "share") tag = value;
    if (key != "at" || tag.empty()) continue;
    attach(tag.c_str(), new_root + value, "9p", MS_RDONLY | guarded,
           "trans=virtio,version=9p2000.L,msize=512000,cache=none");
    tag.clear();
  }
}

void write_files(const Settings& settings) {
  std::string content;
  std::string path;
  mode_t mode = 0;
  uid_t owner = 0;
  for (const auto& [key, value] : settings) {
    const auto number = std::strtoul(value.c_str(), nullptr, key == "mode" ? octal : decimal);
    if (key == "file") {
      content = firmware_file(std::string(file_name_prefix) + value);
      path = new_root;
    } else if (key == "at" && !path.empty()) {
      path += value;
    } else if (key == "mode") {
      mode = static_cast<mode_t>(number);
    } else if (key == "owner") {
      owner = static_cast<uid_t>(number);
    } else if (key == "owner_group") {
      make_directories(path.substr(0, path.rfind('/')));
      write_content(path, content, mode);
      require(chown(path.c_str(), owner, static_cast<gid_t>(number)) == 0, path);
      path.clear();
    }
  }
  write_content(std::string(new_root) + "/etc/passwd", value_of(settings, "passwd"), 0644);
  write_content(std::string(new_root) + "/etc/group", value_of(settings, "group_file"), 0644);
}

// Outside the sandbox's root when a socket path below it would be too long.
void make_sockets_directory(const Settings& settings) {
  const auto path = new_root + value_of(settings, "sockets");
  struct stat status {};
  if (stat(path.c_str(), &status) == 0) return;
  make_directories(path);
  make_private(path, settings);
}

void change_root() {
  for (const char* directory : {"/dev", "/proc", "/sys"}) {
    const auto target = new_root + std::string(directory);
    make_directories(target);
    require(mount(directory, target.c_str(), nullptr, MS_MOVE, nullptr) == 0, target);
  }
  attach("tmpfs", std::string(new_root) + "/dev/shm", "tmpfs", guarded | MS_NOEXEC, "mode=1777");
  require(mount(nullptr, new_root, nullptr, MS_REMOUNT | MS_RDONLY | guarded, "") == 0,
          "making the root read-only");
  require(chdir(new_root) == 0 && mount(".", "/", nullptr, MS_MOVE, nullptr) == 0 &&
              chroot(".") == 0 && chdir("/") == 0,
          "changing the root");
}

// With overcommit, a lack of memory shows as a process killed by the kernel rather than as a failed
// query.
void allow_overcommit() {
  const Descriptor file(open("/proc/sys/vm/overcommit_memory", O_WRONLY | O_CLOEXEC));
  require(file && write(file.get(), "1", 1) == 1, "overcommit_memory");
}

void enable_loopback() {
  const Descriptor any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  require(ioctl(any.get(), SIOCSIFFLAGS, &request) == 0, "lo");
}

}  // namespace

std::string value_of(const Settings& settings, std::string_view key) {
  for (const auto& [name, value] : settings) {
    if (name == key) return value;
  }
  return {};
}

Settings prepare_virtual_machine() {
  umask(0);
  attach("dev", "/dev", "devtmpfs", MS_NOSUID);
  use_console();
  attach("proc", "/proc", "proc", guarded | MS_NOEXEC);
  attach("sys", "/sys", "sysfs", guarded | MS_NOEXEC | MS_RDONLY);
  allow_overcommit();
  load_modules();
  auto settings = read_settings();
  mount_image();
  mount_disk(settings);
  mount_shares(settings);
  write_files(settings);
  make_sockets_directory(settings);
  change_root();
  enable_loopback();
  const std::string_view name = "rehearsal";
  require(sethostname(name.data(), name.size()) == 0, "hostname");
  return settings;
}

Descriptor open_port() {
  const std::string ports = "/sys/class/virtio-ports";
  for (int attempt = 0; attempt < 1000; ++attempt) {
    DIR* directory = opendir(ports.c_str());
    if (directory != nullptr) {
      while (const dirent* entry = readdir(directory)) {
        if (entry->d_name[0] == '.') continue;
        const Descriptor name(
            open((ports + "/" + entry->d_name + "/name").c_str(), O_RDONLY | O_CLOEXEC));
        std::array<char, 128> text{};
        const bool ours = name && read(name.get(), text.data(), text.size() - 1) > 0 &&
                          std::string_view(text.data()).starts_with(port_name);
        if (!ours) continue;
        Descriptor port(open((std::string("/dev/") + entry->d_name).c_str(), O_RDWR | O_CLOEXEC));
        closedir(directory);
        require(static_cast<bool>(port), "the port");
        return port;
      }
      closedir(directory);
    }
    usleep(10000);
  }
  throw Failure{"the port", ENODEV};
}

}  // namespace pgrehearse::agent
