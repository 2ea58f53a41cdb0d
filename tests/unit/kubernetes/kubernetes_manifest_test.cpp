#include "harness/kubernetes/kubernetes_manifest.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>

namespace pgrehearse {
namespace {

using Json = nlohmann::json;

PodRequest request() {
  PodRequest request{.owner = "host:/state/sandboxes",
                     .scenario = "{ \"name\": \"weekly\" }\n",
                     .storage = {3000},
                     .expires = *parse_instant("2026-11-21T12:00:00Z"),
                     .deadline = std::chrono::seconds(90)};
  request.spec.run_id = "20261121T030000Z-1a2b3c4d";
  request.spec.scenario = "weekly";
  request.kubernetes.image = "registry.example/pgrehearse:15";
  request.spec.memory = Bytes{1 << 20};
  request.spec.cpus = 3;
  request.kubernetes.config_secret = "conf";
  request.kubernetes.repository_claim = "repo";
  return request;
}

Json items_of(const PodRequest& request) { return Json::parse(manifest_json(request)).at("items"); }

Json object(const PodRequest& request, const std::string& kind) {
  const auto items = items_of(request);
  for (const auto& item : items) {
    if (item.at("kind") == kind) return item;
  }
  return {};
}

Json pod_of(const PodRequest& request) {
  return object(request, "Job").at("spec").at("template").at("spec");
}

Json container_of(const PodRequest& request) { return pod_of(request).at("containers").at(0); }

// One of `volumes` or of `volumeMounts`.
Json volume(const PodRequest& request, const std::string& name, const std::string& list) {
  const Json all = list == "volumes" ? pod_of(request).at(list) : container_of(request).at(list);
  for (const auto& one : all) {
    if (one.at("name") == name) return one;
  }
  return {};
}

TEST(KubernetesManifest, NetworkPolicyIsCreatedFirst) {
  std::vector<std::string> kinds;
  const auto items = items_of(request());
  for (const auto& item : items) {
    kinds.push_back(item.at("kind"));
  }
  EXPECT_EQ(kinds,
            (std::vector<std::string>{"NetworkPolicy", "ServiceAccount", "ConfigMap", "Job"}));
}

TEST(KubernetesManifest, EveryObjectIsLabelled) {
  const auto items = items_of(request());
  for (const auto& item : items) {
    const auto& labels = item.at("metadata").at("labels");
    EXPECT_EQ(labels.at("pgrehearse.run"), "20261121T030000Z-1a2b3c4d");
    EXPECT_EQ(labels.at("pgrehearse.owner"), owner_label("host:/state/sandboxes"));
    EXPECT_EQ(labels.at("pgrehearse.expires"), "1795262400");
    EXPECT_EQ(labels.at(label_manager), "pgrehearse");
    EXPECT_EQ(item.at("metadata").at("annotations").at("pgrehearse.owner"),
              "host:/state/sandboxes");
    EXPECT_EQ(item.at("metadata").at("name"), "pgrehearse-20261121t030000z-1a2b3c4d");
    EXPECT_FALSE(item.at("metadata").contains("namespace"));
  }
  const auto job = object(request(), "Job");
  EXPECT_EQ(job.at("spec").at("template").at("metadata").at("labels"),
            job.at("metadata").at("labels"));
  EXPECT_NE(owner_label("a"), owner_label("b"));
}

TEST(KubernetesManifest, PodCannotBecomeRoot) {
  const auto security = pod_of(request()).at("securityContext");
  EXPECT_EQ(security.at("runAsNonRoot"), true);
  EXPECT_EQ(security.at("runAsUser"), 999);
  EXPECT_EQ(security.at("runAsGroup"), 999);
  EXPECT_EQ(security.at("seccompProfile").at("type"), "RuntimeDefault");
  EXPECT_FALSE(security.contains("fsGroup")) << "it would change the repository's files";
  const auto inside = container_of(request()).at("securityContext");
  EXPECT_EQ(inside.at("runAsNonRoot"), true);
  EXPECT_EQ(inside.at("privileged"), false);
  EXPECT_EQ(inside.at("allowPrivilegeEscalation"), false);
  EXPECT_EQ(inside.at("readOnlyRootFilesystem"), true);
  EXPECT_EQ(inside.at("capabilities"), Json({{"drop", {"ALL"}}}));
}

TEST(KubernetesManifest, PodHasNoAccessToTheClusterAndTheHost) {
  const auto pod = pod_of(request());
  EXPECT_EQ(pod.at("automountServiceAccountToken"), false);
  EXPECT_EQ(object(request(), "ServiceAccount").at("automountServiceAccountToken"), false);
  EXPECT_EQ(pod.at("serviceAccountName"), "pgrehearse-20261121t030000z-1a2b3c4d");
  EXPECT_EQ(pod.at("enableServiceLinks"), false);
  for (const auto* wall : {"hostNetwork", "hostPID", "hostIPC"}) EXPECT_EQ(pod.at(wall), false);
  EXPECT_FALSE(container_of(request()).contains("env"));
}

TEST(KubernetesManifest, AllTrafficIsDenied) {
  const auto policy = object(request(), "NetworkPolicy").at("spec");
  EXPECT_EQ(policy.at("podSelector").at("matchLabels"),
            Json({{"pgrehearse.run", "20261121T030000Z-1a2b3c4d"}}));
  EXPECT_EQ(policy.at("policyTypes"), Json({"Ingress", "Egress"}));
  EXPECT_EQ(policy.at("ingress"), Json::array());
  EXPECT_EQ(policy.at("egress"), Json::array());
}

TEST(KubernetesManifest, EgressOpensOnlyTheRepository) {
  auto open = request();
  open.kubernetes.repository_addresses = {"203.0.113.0/24:443", "[2001:db8::1]:9000"};
  EXPECT_EQ(object(open, "NetworkPolicy").at("spec").at("egress"), Json::array())
      << "addresses alone open nothing";
  open.kubernetes.repository_egress = true;
  const auto rules = object(open, "NetworkPolicy").at("spec").at("egress");
  ASSERT_EQ(rules.size(), 3U);
  EXPECT_EQ(rules[0].at("ports"), Json::parse(R"([{"protocol": "UDP", "port": 53},
                                                  {"protocol": "TCP", "port": 53}])"));
  EXPECT_EQ(rules[0].at("to").at(0).at("podSelector").at("matchLabels").at("k8s-app"), "kube-dns");
  EXPECT_TRUE(rules[0].at("to").at(0).contains("namespaceSelector"));
  EXPECT_EQ(rules[1], Json::parse(R"({"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}],
                                      "ports": [{"protocol": "TCP", "port": 443}]})"));
  EXPECT_EQ(rules[2].at("to").at(0).at("ipBlock").at("cidr"), "2001:db8::1/128");
  EXPECT_EQ(object(open, "NetworkPolicy").at("spec").at("ingress"), Json::array());
}

TEST(KubernetesManifest, JobHasADeadlineAndNoRetries) {
  const auto job = object(request(), "Job").at("spec");
  EXPECT_EQ(job.at("activeDeadlineSeconds"), 90);
  EXPECT_EQ(job.at("ttlSecondsAfterFinished"), 3600);
  EXPECT_EQ(job.at("backoffLimit"), 0);
  EXPECT_EQ(pod_of(request()).at("restartPolicy"), "Never");
}

TEST(KubernetesManifest, ResourcesAreLimited) {
  const auto resources = container_of(request()).at("resources");
  EXPECT_EQ(resources.at("limits"), Json({{"memory", "1048576"}, {"cpu", "3"}}));
  EXPECT_EQ(resources.at("requests").at("ephemeral-storage"), "3000");
  EXPECT_EQ(volume(request(), "sandbox", "volumes").at("emptyDir").at("sizeLimit"), "3000");
  auto unstated = request();
  unstated.spec.memory.reset();
  unstated.spec.cpus = 0;
  EXPECT_EQ(container_of(unstated).at("resources").at("limits"),
            Json({{"memory", "2147483648"}, {"cpu", "2"}}));
}

TEST(KubernetesManifest, RepositoryAndItsSecretsAreMountedReadOnly) {
  const auto claim = volume(request(), "repository", "volumes").at("persistentVolumeClaim");
  EXPECT_EQ(claim, Json({{"claimName", "repo"}, {"readOnly", true}}));
  const auto mount = volume(request(), "repository", "volumeMounts");
  EXPECT_EQ(mount.at("readOnly"), true);
  EXPECT_EQ(mount.at("mountPath"), "/var/lib/pgbackrest");
  EXPECT_EQ(volume(request(), "configuration", "volumes").at("secret").at("secretName"), "conf");
  EXPECT_EQ(volume(request(), "configuration", "volumeMounts").at("readOnly"), true);
  EXPECT_EQ(volume(request(), "scenario", "volumeMounts").at("readOnly"), true);
  auto without = request();
  without.kubernetes.config_secret.clear();
  without.kubernetes.repository_claim.clear();
  EXPECT_EQ(pod_of(without).at("volumes").size(), 3U);
}

TEST(KubernetesManifest, RunsPgrehearse) {
  EXPECT_EQ(container_of(request()).at("command"),
            Json({"pgrehearse", "run", "/etc/pgrehearse/scenario.yaml", "--state",
                  "/pgrehearse/state", "--report-line"}));
  EXPECT_EQ(object(request(), "ConfigMap").at("data").at("scenario.yaml"),
            "{ \"name\": \"weekly\" }\n");
  auto with_login = request();
  with_login.kubernetes.pull_secret = "login";
  EXPECT_EQ(pod_of(with_login).at("imagePullSecrets"), Json::parse(R"([{"name": "login"}])"));
}

// Every scalar of the JSON, whatever its type, is the YAML's text.
void expect_same(const Json& json, const YAML::Node& yaml, const std::string& path) {
  if (json.is_object()) {
    ASSERT_EQ(yaml.size(), json.size()) << path;
    for (const auto& [key, value] : json.items()) {
      expect_same(value, yaml[key], fmt::format("{}.{}", path, key));
    }
  } else if (json.is_array()) {
    ASSERT_EQ(yaml.size(), json.size()) << path;
    for (std::size_t at = 0; at < json.size(); ++at) expect_same(json[at], yaml[at], path + "[]");
  } else {
    EXPECT_EQ(yaml.as<std::string>(), json.is_string() ? json.get<std::string>() : json.dump())
        << path;
    EXPECT_EQ(yaml.Tag() == "!", json.is_string()) << path << " is in quotes when it is a text";
  }
}

TEST(KubernetesManifest, YamlEqualsJson) {
  auto all = request();
  all.kubernetes.repository_egress = true;
  all.kubernetes.repository_addresses = {"203.0.113.7:443"};
  const auto items = items_of(all);
  const auto documents = YAML::LoadAll(manifest_yaml(all));
  ASSERT_EQ(documents.size(), items.size());
  for (std::size_t at = 0; at < items.size(); ++at) expect_same(items[at], documents[at], "");
}

TEST(PodAddress, Readings) {
  EXPECT_EQ(parse_pod_address("203.0.113.7:443")->cidr, "203.0.113.7/32");
  EXPECT_EQ(parse_pod_address("10.0.0.0/8:9000")->port, 9000);
  EXPECT_EQ(parse_pod_address("[2001:db8::/64]:443")->cidr, "2001:db8::/64");
  for (const auto* wrong : {"s3.example:443", "203.0.113.7", "203.0.113.7:0", "203.0.113.7:70000",
                            "203.0.113.7/33:443", "203.0.113.7/x:443", "2001:db8::1:443", ":443"}) {
    EXPECT_FALSE(parse_pod_address(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace pgrehearse
