#include "harness/sandbox/container/container_request.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "harness/sandbox/container/block_device.hpp"
#include "harness/sandbox/labels.hpp"
#include "harness/sandbox/removal.hpp"
#include "harness/sandbox/shared/agent_paths.hpp"
#include "harness/sandbox/shared/host_command.hpp"
#include "harness/sandbox/shared/mounts.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int most_processes = 2048;

Json bind(const fs::path& source, const fs::path& target, bool read_only) {
  // Not recursive: file systems mounted below a read-only directory would not be read-only.
  Json options{{"Propagation", "rprivate"}};
  if (read_only) options["NonRecursive"] = true;
  return {{"Type", "bind"},
          {"Source", source.string()},
          {"Target", target.string()},
          {"ReadOnly", read_only},
          {"BindOptions", std::move(options)}};
}

std::vector<fs::path> repository_files(const SandboxSpec& spec) {
  if (backup_tool_runs_outside(spec)) return {};
  return with_mounts_below(spec.readable, mounts_of_this_process());
}

Json mounts_of(const ContainerRequest& request) {
  const auto& paths = request.directory.paths();
  auto mounts = Json::array();
  mounts.push_back(bind(paths.root, paths.root, false));
  const auto& sockets = request.directory.entry().sockets;
  if (!sockets.empty()) mounts.push_back(bind(sockets, sockets, false));
  mounts.push_back(bind(passwd_file(paths), "/etc/passwd", true));
  mounts.push_back(bind(group_file(paths), "/etc/group", true));
  if (opens_egress(request.spec)) mounts.push_back(bind(hosts_file(paths), "/etc/hosts", true));
  for (const auto& path : repository_files(request.spec)) mounts.push_back(bind(path, path, true));
  return mounts;
}

// One limit per disk of the sandbox and of the files that it may read.
Json io_limits(const ContainerRequest& request) {
  auto limits = Json::array();
  const auto& bandwidth = options_of<ContainerOptions>(request.spec).io_bandwidth;
  if (!bandwidth) return limits;
  auto paths = repository_files(request.spec);
  paths.push_back(request.directory.paths().root);
  const auto disks = disks_of(paths);
  for (const auto& path : disks.without_disk) {
    spdlog::warn("sandbox.io_bandwidth cannot be enforced for {}: not on a dedicated block device",
                 path.string());
  }
  for (const auto& device : disks.devices) {
    limits.push_back({{"Path", device.string()}, {"Rate", bandwidth->count}});
  }
  return limits;
}

Json host_settings(const ContainerRequest& request) {
  const auto& spec = request.spec;
  const auto limits = io_limits(request);
  // Otherwise SELinux labels would be written to the repository. Has no effect without SELinux.
  const auto security = Json::array({"no-new-privileges", "label=disable"});
  auto groups = Json::array();
  for (const auto group : request.directory.account().groups)
    groups.push_back(std::to_string(group));
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
  const auto& account = request.directory.account();
  const auto& paths = request.directory.paths();
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

bool opens_egress(const SandboxSpec& spec) {
  return spec.network_requirement && options_of<ContainerOptions>(spec).repository_egress;
}

fs::path passwd_file(const SandboxPaths& paths) { return paths.configuration / "passwd"; }

fs::path group_file(const SandboxPaths& paths) { return paths.configuration / "group"; }

fs::path hosts_file(const SandboxPaths& paths) { return paths.configuration / "hosts"; }

}  // namespace pgrehearse
