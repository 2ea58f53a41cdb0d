#include "harness/kubernetes/kubernetes_cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/common/poll_until.hpp"
#include "harness/common/text.hpp"
#include "harness/common/throw_if_stopped.hpp"
#include "harness/kubernetes/kubernetes_manifest.hpp"
#include "harness/sandbox/labels.hpp"

extern char** environ;

namespace pgrehearse {

namespace {

using Json = nlohmann::json;

constexpr std::string_view scheme = "kubernetes://";
constexpr const char* running_kinds = "job,pod";
constexpr const char* isolation_kinds = "networkpolicy,configmap,serviceaccount";

// Variables of this process for kubectl and its credential plugins.
std::map<std::string, std::string> client_variables() {
  static constexpr std::array<std::string_view, 11> prefixes{
      "KUBE",        "AWS_",     "AZURE_",     "GOOGLE_",     "CLOUDSDK_", "HTTP_PROXY",
      "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"};
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable(*entry);
    const bool wanted = std::any_of(prefixes.begin(), prefixes.end(),
                                    [&](auto prefix) { return variable.starts_with(prefix); });
    if (!wanted) continue;
    const auto equals = variable.find('=');
    variables[std::string(variable.substr(0, equals))] = variable.substr(equals + 1);
  }
  return variables;
}

Command kubectl(std::vector<std::string> words) {
  return {.program = "kubectl",
          .arguments = std::move(words),
          .environment = client_variables(),
          .timeout = std::chrono::minutes(1)};
}

CommandResult run_kubectl(CommandRunner& runner, const Command& command,
                          const std::stop_token& stop) {
  CommandResult result;
  try {
    result = runner.run(command, stop);
  } catch (const Error& error) {
    throw Error(ErrorKind::environment, error.what(), "install kubectl (Debian: kubernetes-client)",
                FindingCode::env_kubernetes, "kubectl");
  }
  throw_if_stopped(stop);
  return result;
}

std::string selector_of(const std::string& run_id) {
  return fmt::format("{}={}", label_run, run_id);
}

std::string text(const Json& value, const char* key) {
  const auto found = value.is_object() ? value.find(key) : value.end();
  return value.is_object() && found != value.end() && found->is_string() ? found->get<std::string>()
                                                                         : std::string();
}

Json member(const Json& value, const char* key) {
  return value.is_object() && value.contains(key) ? value.at(key) : Json();
}

Json items_of(const std::string& output) {
  const auto list = Json::parse(output, nullptr, false);
  auto items = member(list, "items");
  return items.is_array() ? items : Json::array();
}

}  // namespace

Error kubectl_error(std::string_view output) {
  struct Known {
    std::string_view words;
    std::string_view hint;
  };
  static constexpr std::array<Known, 11> known{{
      {"localhost:8080 was refused", "kubectl has no configuration: set KUBECONFIG"},
      {"current-context", "set sandbox.kubernetes.context"},
      {"does not exist", "list the contexts with 'kubectl config get-contexts'"},
      {"cannot locate context", "list the contexts with 'kubectl config get-contexts'"},
      {"namespaces \"", "set sandbox.kubernetes.namespace to another one, or create it"},
      {"(Forbidden)",
       "grant the account of the kubectl configuration permission to create, list and delete jobs, "
       "pods, config maps, service accounts and network policies, and to read pod logs"},
      {"Unauthorized", "log in again: kubectl's credentials were rejected"},
      {"must be logged in", "log in again: kubectl's credentials were rejected"},
      {"was refused",
       "check that the cluster is up and its address in the kubectl configuration is correct"},
      {"Unable to connect",
       "check that the cluster is up and its address in the kubectl configuration is correct"},
      {"exceeded quota",
       "lower sandbox.memory, cpus or storage, or raise the quota of the namespace"},
  }};
  std::string_view decisive = "kubectl failed without an error message";
  for (const auto line : lines_of(output)) {
    // Other lines are warnings and retries.
    if (line.empty() || line.starts_with("Warning:")) continue;
    decisive = trim(line);
    if (line.starts_with("error:") || line.starts_with("Error from server")) break;
  }
  if (decisive.starts_with("error: ")) decisive.remove_prefix(std::string_view("error: ").size());
  std::string hint = "see the output of kubectl in the run's logs";
  for (const auto& [words, advice] : known) {
    if (decisive.find(words) == std::string_view::npos) continue;
    hint = advice;
    break;
  }
  return {ErrorKind::environment, fmt::format("kubectl: {}", decisive), hint,
          FindingCode::env_kubernetes, "kubectl"};
}

KubernetesCluster KubernetesCluster::resolve(CommandRunner& runner, const KubernetesSpec& spec,
                                             const std::stop_token& stop) {
  auto context = spec.context;
  auto name_space = spec.name_space;
  if (context.empty()) {
    const auto current = run_kubectl(runner, kubectl({"config", "current-context"}), stop);
    // Inside a pod of the cluster there is an account, but no context.
    if (!current.succeeded() && std::getenv("KUBERNETES_SERVICE_HOST") == nullptr) {
      throw kubectl_error(current.error_output);
    }
    context = trim(current.output);
  }
  if (!context.empty()) {
    const auto view = run_kubectl(runner,
                                  kubectl({"config", "view", "--minify", "--output=json",
                                           fmt::format("--context={}", context)}),
                                  stop);
    if (!view.succeeded()) throw kubectl_error(view.error_output);
    const auto contexts = member(Json::parse(view.output, nullptr, false), "contexts");
    if (name_space.empty() && contexts.is_array() && !contexts.empty()) {
      name_space = text(member(contexts.front(), "context"), "namespace");
    }
    if (name_space.empty()) name_space = "default";
  }
  return {runner, std::move(context), std::move(name_space)};
}

std::string KubernetesCluster::address() const {
  return fmt::format("{}{}/{}", scheme, context_, name_space_);
}

KubernetesCluster KubernetesCluster::at(CommandRunner& runner, std::string_view address) {
  if (address.starts_with(scheme)) address.remove_prefix(scheme.size());
  const auto slash = address.rfind('/');
  return {runner, std::string(address.substr(0, slash)),
          slash == std::string_view::npos ? std::string() : std::string(address.substr(slash + 1))};
}

Command KubernetesCluster::command(std::vector<std::string> words) const {
  if (!name_space_.empty()) words.insert(words.begin(), "--namespace=" + name_space_);
  if (!context_.empty()) words.insert(words.begin(), "--context=" + context_);
  return kubectl(std::move(words));
}

CommandResult KubernetesCluster::ask(const Command& command, const std::stop_token& stop) const {
  auto result = run_kubectl(runner_, command, stop);
  if (result.timed_out) {
    throw Error(ErrorKind::environment, "no response to kubectl within a minute",
                "check that the cluster is reachable from this host", FindingCode::env_kubernetes,
                "kubectl");
  }
  if (!result.succeeded()) throw kubectl_error(result.error_output);
  return result;
}

std::string KubernetesCluster::probe(const std::stop_token& stop) const {
  const auto versions =
      Json::parse(ask(command({"version", "--output=json"}), stop).output, nullptr, false);
  const auto allowed =
      run_kubectl(runner_, command({"auth", "can-i", "create", "jobs.batch"}), stop);
  if (trim(allowed.output) == "no") {
    throw Error(
        ErrorKind::environment,
        fmt::format("no permission to create jobs in namespace {}", name_space_),
        "grant the account of the kubectl configuration permission to create, list and delete "
        "jobs, pods, config maps, service accounts and network policies",
        FindingCode::env_kubernetes, name_space_);
  }
  const auto version = text(member(versions, "serverVersion"), "gitVersion");
  return fmt::format("Kubernetes {}, {}, namespace {}", version.empty() ? "?" : version,
                     context_.empty() ? "this pod's cluster" : "context " + context_,
                     name_space_.empty() ? "this pod's" : name_space_);
}

void KubernetesCluster::create(const std::filesystem::path& manifest,
                               const std::stop_token& stop) const {
  // Client-side validation would download the whole schema of the cluster.
  static_cast<void>(ask(command({"create", "--validate=false", "--output=name",
                                 fmt::format("--filename={}", manifest.native())}),
                        stop));
}

PodState KubernetesCluster::state(const std::string& run_id, const std::stop_token& stop) const {
  const auto listed = ask(
      command({"get", running_kinds, "--selector=" + selector_of(run_id), "--output=json"}), stop);
  return read_pod_state(listed.output);
}

std::string KubernetesCluster::log(const std::string& pod,
                                   const std::function<void(std::string_view)>& on_line,
                                   const std::stop_token& stop) const {
  std::vector<std::string> words{"logs", pod, fmt::format("--container={}", pod_container)};
  if (on_line) words.insert(words.begin() + 1, "--follow");
  auto request = command(std::move(words));
  request.keep_output = std::size_t{64} << 20U;
  request.on_line = on_line;
  if (!on_line) return ask(request, stop).output;
  request.timeout = std::chrono::hours(24 * 7);
  return run_kubectl(runner_, request, stop).output;
}

std::vector<std::string> KubernetesCluster::events(const std::string& run_id) const {
  std::vector<std::string> lines;
  try {
    // Events of objects of this name, and of the pod, whose name starts with it.
    const auto name = pod_name(run_id);
    for (const auto& event :
         items_of(ask(command({"get", "events", "--output=json"}), {}).output)) {
      const auto about = member(event, "involvedObject");
      if (!text(about, "name").starts_with(name)) continue;
      if (text(event, "type") == "Normal") continue;
      lines.push_back(fmt::format("{} {}: {}", text(about, "kind"), text(event, "reason"),
                                  text(event, "message")));
    }
  } catch (const Error&) {
    // Events only add detail to the state.
  }
  return lines;
}

std::vector<std::string> KubernetesCluster::names(const std::string& kinds,
                                                  const std::string& selector) const {
  const auto listed =
      ask(command({"get", kinds, "--selector=" + selector, "--output=name"}), {}).output;
  std::vector<std::string> all;
  for (const auto line : lines_of(listed)) all.emplace_back(line);
  return all;
}

void KubernetesCluster::remove_kinds(const std::string& kinds, const std::string& selector,
                                     Removal& removal) const {
  // A pod has 30 seconds to end, and a node may be slow.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(90);
  const auto made = names(kinds, selector);
  if (made.empty()) return;
  static_cast<void>(ask(
      command({"delete", kinds, "--selector=" + selector, "--wait=false", "--output=name"}), {}));
  std::vector<std::string> left;
  poll_until(deadline, std::chrono::seconds(1), {}, [&] {
    left = names(kinds, selector);
    return left.empty();
  });
  for (const auto& name : made) {
    const bool gone = std::find(left.begin(), left.end(), name) == left.end();
    if (gone) removal.removed.push_back(fmt::format("{} in {}", name, address()));
  }
  for (const auto& name : left) {
    removal.remaining.push_back(fmt::format("{} in {}", name, address()));
  }
}

Removal KubernetesCluster::remove(const std::string& run_id, const std::string& owner_label) const {
  Removal removal;
  const auto selector = fmt::format("{},{}={}", selector_of(run_id), label_owner, owner_label);
  try {
    remove_kinds(running_kinds, selector, removal);
    if (removal.complete()) remove_kinds(isolation_kinds, selector, removal);
  } catch (const Error& error) {
    removal.remaining.push_back(
        fmt::format("objects of run {} in {}: {}", run_id, address(), error.what()));
  }
  return removal;
}

std::vector<ClusterRun> KubernetesCluster::runs(const std::stop_token& stop) const {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  std::map<std::string, ClusterRun> runs;
  const auto listed =
      ask(command({"get", fmt::format("{},{}", running_kinds, isolation_kinds),
                   fmt::format("--selector={}=pgrehearse", label_manager), "--output=json"}),
          stop);
  for (const auto& item : items_of(listed.output)) {
    const auto labels = member(member(item, "metadata"), "labels");
    const auto run_id = text(labels, label_run);
    if (run_id.empty()) continue;
    const auto expires = text(labels, label_expires);
    std::int64_t when = 0;
    std::from_chars(expires.data(), expires.data() + expires.size(), when);
    runs[run_id] = {
        .run_id = run_id, .owner = text(labels, label_owner), .expired = when > 0 && when < now};
  }
  std::vector<ClusterRun> all;
  all.reserve(runs.size());
  for (auto& [id, run] : runs) all.push_back(std::move(run));
  return all;
}

}  // namespace pgrehearse
