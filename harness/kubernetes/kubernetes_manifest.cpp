#include "harness/kubernetes/kubernetes_manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>

#include "harness/common/error.hpp"
#include "harness/sandbox/labels.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* scenario_directory = "/etc/pgrehearse";
constexpr const char* scenario_file = "scenario.yaml";

Json labels_of(const PodRequest& request) {
  const auto expires =
      std::chrono::duration_cast<std::chrono::seconds>(request.expires.time_since_epoch());
  return {{"app.kubernetes.io/name", "pgrehearse"},
          {label_manager, "pgrehearse"},
          {label_run, request.spec.run_id},
          {label_owner, owner_label(request.owner)},
          {label_expires, std::to_string(expires.count())}};
}

Json metadata_of(const PodRequest& request) {
  Json metadata{{"name", pod_name(request.spec.run_id)}};
  const auto& name_space = request.kubernetes.name_space;
  if (!name_space.empty()) metadata["namespace"] = name_space;
  metadata["labels"] = labels_of(request);
  metadata["annotations"] = {{label_scenario, request.spec.scenario},
                             {label_owner, request.owner},
                             {label_expires, to_iso8601(request.expires)}};
  return metadata;
}

Json egress_rules(const PodRequest& request) {
  auto rules = Json::array();
  if (!request.kubernetes.repository_egress) return rules;
  const auto dns_port = [](const char* protocol) {
    return Json{{"protocol", protocol}, {"port", 53}};
  };
  rules.push_back(
      {{"to", Json::array({{{"namespaceSelector",
                             {{"matchLabels", {{"kubernetes.io/metadata.name", "kube-system"}}}}},
                            {"podSelector", {{"matchLabels", {{"k8s-app", "kube-dns"}}}}}}})},
       {"ports", Json::array({dns_port("UDP"), dns_port("TCP")})}});
  for (const auto& text : request.kubernetes.repository_addresses) {
    const auto address = parse_pod_address(text);
    if (!address) throw Error(ErrorKind::usage, fmt::format("'{}' is not an address", text));
    rules.push_back({{"to", Json::array({{{"ipBlock", {{"cidr", address->cidr}}}}})},
                     {"ports", Json::array({{{"protocol", "TCP"}, {"port", address->port}}})}});
  }
  return rules;
}

Json network_policy(const PodRequest& request) {
  return {{"apiVersion", "networking.k8s.io/v1"},
          {"kind", "NetworkPolicy"},
          {"metadata", metadata_of(request)},
          {"spec",
           {{"podSelector", {{"matchLabels", {{label_run, request.spec.run_id}}}}},
            {"policyTypes", Json::array({"Ingress", "Egress"})},
            {"ingress", Json::array()},
            {"egress", egress_rules(request)}}}};
}

Json service_account(const PodRequest& request) {
  return {{"apiVersion", "v1"},
          {"kind", "ServiceAccount"},
          {"metadata", metadata_of(request)},
          {"automountServiceAccountToken", false}};
}

Json config_map(const PodRequest& request) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", metadata_of(request)},
          {"immutable", true},
          {"data", {{scenario_file, request.scenario}}}};
}

struct Storage {
  Json volumes = Json::array();
  Json mounts = Json::array();

  void add(const char* name, const std::string& path, bool read_only, const Json& source) {
    Json volume{{"name", name}};
    volume.update(source);
    volumes.push_back(std::move(volume));
    Json mount{{"name", name}, {"mountPath", path}};
    if (read_only) mount["readOnly"] = true;
    mounts.push_back(std::move(mount));
  }
};

Storage storage_of(const PodRequest& request) {
  const auto& pod = request.kubernetes;
  // The account of the pod does not own these files.
  constexpr int readable = 0444;
  Storage storage;
  storage.add(
      "scenario", scenario_directory, true,
      {{"configMap", {{"name", pod_name(request.spec.run_id)}, {"defaultMode", readable}}}});
  storage.add("sandbox", "/pgrehearse", false,
              {{"emptyDir", {{"sizeLimit", std::to_string(request.storage.count)}}}});
  storage.add("tmp", "/tmp", false, {{"emptyDir", {{"sizeLimit", "64Mi"}}}});
  if (!pod.config_secret.empty()) {
    storage.add("configuration", request.configuration_directory.native(), true,
                {{"secret", {{"secretName", pod.config_secret}, {"defaultMode", readable}}}});
  }
  if (!pod.repository_claim.empty()) {
    storage.add(
        "repository", pod.repository_path.native(), true,
        {{"persistentVolumeClaim", {{"claimName", pod.repository_claim}, {"readOnly", true}}}});
  }
  return storage;
}

Json resources_of(const PodRequest& request) {
  const auto memory = std::to_string(pod_memory(request.spec).count);
  const auto cpus = std::to_string(pod_cpus(request.spec));
  return {{"requests",
           {{"memory", memory},
            {"cpu", cpus},
            {"ephemeral-storage", std::to_string(request.storage.count)}}},
          {"limits", {{"memory", memory}, {"cpu", cpus}}}};
}

Json container_of(const PodRequest& request, Json mounts) {
  return {{"name", pod_container},
          {"image", request.kubernetes.image},
          {"command",
           {"pgrehearse", "run", fmt::format("{}/{}", scenario_directory, scenario_file), "--state",
            "/pgrehearse/state", "--report-line"}},
          {"securityContext",
           {{"runAsNonRoot", true},
            {"privileged", false},
            {"allowPrivilegeEscalation", false},
            {"readOnlyRootFilesystem", true},
            {"capabilities", {{"drop", Json::array({"ALL"})}}}}},
          {"resources", resources_of(request)},
          {"volumeMounts", std::move(mounts)}};
}

Json pod_of(const PodRequest& request) {
  auto [volumes, mounts] = storage_of(request);
  const auto user = request.kubernetes.user;
  Json pod{{"serviceAccountName", pod_name(request.spec.run_id)},
           {"automountServiceAccountToken", false},
           {"enableServiceLinks", false},
           {"restartPolicy", "Never"},
           {"terminationGracePeriodSeconds", 30},
           {"hostNetwork", false},
           {"hostPID", false},
           {"hostIPC", false},
           // No fsGroup: the cluster would change the owner of the repository's files.
           {"securityContext",
            {{"runAsNonRoot", true},
             {"runAsUser", user},
             {"runAsGroup", user},
             {"seccompProfile", {{"type", "RuntimeDefault"}}}}},
           {"containers", Json::array({container_of(request, std::move(mounts))})},
           {"volumes", std::move(volumes)}};
  const auto& pull_secret = request.kubernetes.pull_secret;
  if (!pull_secret.empty()) pod["imagePullSecrets"] = Json::array({{{"name", pull_secret}}});
  return pod;
}

Json job(const PodRequest& request) {
  constexpr int kept_after_end = 3600;
  return {{"apiVersion", "batch/v1"},
          {"kind", "Job"},
          {"metadata", metadata_of(request)},
          {"spec",
           {{"backoffLimit", 0},
            {"completions", 1},
            {"parallelism", 1},
            {"activeDeadlineSeconds", request.deadline.count()},
            {"ttlSecondsAfterFinished", kept_after_end},
            {"template",
             {{"metadata",
               {{"labels", labels_of(request)},
                {"annotations",
                 {{"cluster-autoscaler.kubernetes.io/safe-to-evict", "false"},
                  {label_scenario, request.spec.scenario}}}}},
              {"spec", pod_of(request)}}}}}};
}

// The job last: the network policy must exist before the pod.
std::array<Json, 4> objects(const PodRequest& request) {
  return {network_policy(request), service_account(request), config_map(request), job(request)};
}

std::string text_of(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A JSON string is a valid YAML string.
void write_yaml(const Json& value, const std::string& indent, std::string& text) {
  if (!value.is_structured() || value.empty()) {
    text += " " + text_of(value) + "\n";
    return;
  }
  text += "\n";
  for (const auto& [key, item] : value.items()) {
    const bool plain = std::all_of(key.begin(), key.end(), [](unsigned char letter) {
      return std::isalnum(letter) != 0 || letter == '.' || letter == '/' || letter == '-';
    });
    text += indent + (value.is_array() ? "-" : (plain ? key : text_of(key)) + ":");
    write_yaml(item, indent + "  ", text);
  }
}

}  // namespace

std::string manifest_json(const PodRequest& request) {
  return Json{{"apiVersion", "v1"}, {"kind", "List"}, {"items", objects(request)}}.dump(
             2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

std::string manifest_yaml(const PodRequest& request) {
  std::string text;
  for (const auto& object : objects(request)) {
    text += "---";
    write_yaml(object, "", text);
  }
  return text;
}

std::string pod_name(const std::string& run_id) {
  std::string name = "pgrehearse-" + run_id;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return name;
}

std::string owner_label(const std::string& owner) {
  // FNV-1a: the same in every build. The annotation contains the owner as text.
  std::uint64_t hash = 14695981039346656037ULL;
  for (const unsigned char letter : owner) hash = (hash ^ letter) * 1099511628211ULL;
  return fmt::format("{:016x}", hash);
}

}  // namespace pgrehearse
