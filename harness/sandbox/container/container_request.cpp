#include "harness/sandbox/container/container_request.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "harness/common/text.hpp"
#include "harness/sandbox/container/block_device.hpp"
#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/removal.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int most_processes = 2048;

Json bind(const fs::path& source, const fs::path& target, bool read_only) {
  // Not recursive: what is mounted below a read-only place would not be read-only.
  Json options{{"Propagation", "rprivate"}};
  if (read_only) options["NonRecursive"] = true;
  return {{"Type", "bind"},
          {"Source", source.string()},
          {"Target", target.string()},
          {"ReadOnly", read_only},
          {"BindOptions", std::move(options)}};
}

std::string mounts_of_this_process() {
  std::ifstream file("/proc/self/mountinfo");
  return {std::istreambuf_iterator<char>(file), {}};
}

// The kernel writes a space as \040.
fs::path unescaped(std::string_view text) {
  std::string path;
  constexpr std::size_t escape = 4;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + escape <= text.size()) {
      path += static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 +
                                (text[at + 3] - '0'));
      at += escape - 1;
    } else {
      path += text[at];
    }
  }
  return path;
}

Json mounts_of(const ContainerRequest& request) {
  const auto& paths = request.place.paths();
  auto mounts = Json::array();
  mounts.push_back(bind(paths.root, paths.root, false));
  const auto& sockets = request.place.entry().sockets;
  if (!sockets.empty()) mounts.push_back(bind(sockets, sockets, false));
  mounts.push_back(bind(passwd_file(paths), "/etc/passwd", true));
  mounts.push_back(bind(group_file(paths), "/etc/group", true));
  if (request.spec.has_way_out()) mounts.push_back(bind(hosts_file(paths), "/etc/hosts", true));
  for (const auto& place : with_mounts_below(request.spec.readable, mounts_of_this_process())) {
    mounts.push_back(bind(place, place, true));
  }
  return mounts;
}

// For each disk that holds the sandbox or what it may read.
Json io_limits(const ContainerRequest& request) {
  auto limits = Json::array();
  if (!request.spec.io_bandwidth) return limits;
  auto places = with_mounts_below(request.spec.readable, mounts_of_this_process());
  places.push_back(request.place.paths().root);
  const auto disks = disks_of(places);
  for (const auto& place : disks.without_disk) {
    spdlog::warn("sandbox.io_bandwidth does not hold for {}: it lies on no disk of its own",
                 place.string());
  }
  for (const auto& device : disks.devices) {
    limits.push_back({{"Path", device.string()}, {"Rate", request.spec.io_bandwidth->count}});
  }
  return limits;
}

Json host_settings(const ContainerRequest& request) {
  const auto& spec = request.spec;
  const auto limits = io_limits(request);
  // SELinux's labels would be written to the repository; without SELinux this means nothing.
  const auto security = Json::array({"no-new-privileges", "label=disable"});
  auto groups = Json::array();
  for (const auto group : request.place.account().groups) groups.push_back(std::to_string(group));
  const auto memory = memory_for(spec).count;
  constexpr std::int64_t whole_processor = 1'000'000'000;
  return {{"NetworkMode", "none"},
          {"ReadonlyRootfs", true},
          {"CapDrop", {"ALL"}},
          {"SecurityOpt", security},
          {"Privileged", false},
          {"IpcMode", "private"},
          {"GroupAdd", std::move(groups)},
          {"Memory", memory},
          {"MemorySwap", memory},
          {"NanoCpus", spec.cpus > 0 ? cpus_for(spec) * whole_processor : 0},
          {"BlkioDeviceReadBps", limits},
          {"BlkioDeviceWriteBps", limits},
          {"PidsLimit", most_processes},
          {"Mounts", mounts_of(request)},
          {"Tmpfs",
           {{"/tmp", "rw,nosuid,nodev,noexec,size=64m,mode=1777"},
            {"/run", "rw,nosuid,nodev,noexec,size=16m,mode=1777"}}},
          {"RestartPolicy", {{"Name", "no"}}},
          {"LogConfig", {{"Type", "json-file"}, {"Config", {{"max-size", "1m"}}}}}};
}

}  // namespace

std::string container_json(const ContainerRequest& request) {
  const auto& account = request.place.account();
  const auto& paths = request.place.paths();
  const Json body{
      {"Image", request.image},
      {"Entrypoint", {agent_program(paths).string()}},
      {"Cmd", {"serve", agent_socket(paths).string(), std::to_string(request.lifetime.count())}},
      {"User", fmt::format("{}:{}", account.uid, account.gid)},
      {"WorkingDir", "/"},
      {"Env",
       {fmt::format("{}={}", run_label, request.spec.run_id),
        fmt::format("{}={}", root_label, paths.root.string())}},
      {"Labels",
       {{label_run, request.spec.run_id},
        {label_owner, request.owner},
        {label_scenario, request.spec.scenario},
        {label_expires, to_iso8601(request.expires)}}},
      {"NetworkDisabled", true},
      {"Healthcheck", {{"Test", {"NONE"}}}},
      {"HostConfig", host_settings(request)}};
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<fs::path> with_mounts_below(const std::vector<fs::path>& places,
                                        std::string_view mountinfo) {
  std::vector<fs::path> all;
  for (const auto& place : places) {
    const bool covered = std::any_of(places.begin(), places.end(), [&](const auto& other) {
      return other != place && is_below(place, other);
    });
    if (!covered && std::find(all.begin(), all.end(), place) == all.end()) all.push_back(place);
  }
  const auto covering = all;
  constexpr std::size_t mount_point = 4;
  for (const auto line : lines_of(mountinfo)) {
    const auto fields = split(line, ' ');
    if (fields.size() <= mount_point) continue;
    const auto mounted = unescaped(fields[mount_point]);
    const bool below = std::any_of(covering.begin(), covering.end(), [&](const auto& place) {
      return mounted != place && is_below(mounted, place);
    });
    if (below && std::find(all.begin(), all.end(), mounted) == all.end()) all.push_back(mounted);
  }
  return all;
}

std::string passwd_text(const std::vector<Account>& accounts, const fs::path& home) {
  std::string text;
  std::set<std::string> named;
  for (const auto& account : accounts) {
    if (!named.insert(account.name).second) continue;
    text += fmt::format("{}:x:{}:{}::{}:/bin/sh\n", account.name, account.uid, account.gid,
                        home.string());
  }
  return text;
}

std::string group_text(const std::vector<Account>& accounts) {
  std::string text;
  std::set<std::string> named;
  for (const auto& account : accounts) {
    if (!named.insert(account.name).second) continue;
    text += fmt::format("{}:x:{}:\n", account.name, account.gid);
  }
  return text;
}

fs::path agent_program(const SandboxPaths& paths) { return paths.root / "agent"; }

fs::path agent_socket(const SandboxPaths& paths) { return paths.sockets / "sessions"; }

fs::path passwd_file(const SandboxPaths& paths) { return paths.configuration / "passwd"; }

fs::path group_file(const SandboxPaths& paths) { return paths.configuration / "group"; }

fs::path hosts_file(const SandboxPaths& paths) { return paths.configuration / "hosts"; }

}  // namespace pgrehearse
