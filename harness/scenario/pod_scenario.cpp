#include "harness/scenario/pod_scenario.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <regex>

namespace pgrehearse {

namespace {

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Written as JSON, a subset of YAML. Unquoted values remain unquoted: a quoted number is not a
// number.
void write(const YamlNode& node, std::string& text, const std::string& indent) {
  const auto inner = indent + "  ";
  switch (node.kind) {
    case YamlNode::Kind::null:
    case YamlNode::Kind::unusable:
      text += "null";
      return;
    case YamlNode::Kind::scalar: {
      static const std::regex plain("[A-Za-z0-9._+-]+");
      const bool bare = !node.quoted && std::regex_match(node.written, plain);
      text += bare ? node.written : quoted(node.written);
      return;
    }
    case YamlNode::Kind::sequence:
      for (const auto& item : node.items) {
        text += (&item == &node.items.front() ? "[\n" : ",\n") + inner;
        write(item, text, inner);
      }
      text += node.items.empty() ? "[]" : "\n" + indent + "]";
      return;
    case YamlNode::Kind::map:
      for (const auto& entry : node.entries) {
        text += fmt::format("{}{}{}: ", &entry == &node.entries.front() ? "{\n" : ",\n", inner,
                            quoted(entry.key));
        write(entry.value, text, inner);
      }
      text += node.entries.empty() ? "{}" : "\n" + indent + "}";
      return;
  }
}

std::string local_sandbox(const SandboxSpec& sandbox) {
  constexpr std::uint64_t kilobyte = 1024;
  auto text = fmt::format("{{ type: local, directory: {}, memory: {}kB, cpus: {}, superuser: {}",
                          quoted(pod_sandboxes), pod_memory(sandbox).count / kilobyte,
                          pod_cpus(sandbox), quoted(sandbox.superuser));
  if (sandbox.binaries) text += ", binaries: " + quoted(sandbox.binaries->native());
  return text + " }";
}

// Text that differs from the written form only by the escape $${ is not from the environment.
bool from_environment(const YamlNode& node) {
  auto literal = node.written;
  for (std::size_t at = 0; (at = literal.find("$${", at)) != std::string::npos; ++at) {
    literal.erase(at, 1);
  }
  return node.text != literal;
}

void refuse_environment(const YamlNode& node, std::vector<ScenarioError>& errors) {
  for (const auto& item : node.items) refuse_environment(item, errors);
  for (const auto& entry : node.entries) refuse_environment(entry.value, errors);
  if (node.kind != YamlNode::Kind::scalar || !from_environment(node)) return;
  errors.push_back(
      {node.position,
       "a value from the environment would be stored in the pod's ConfigMap and may be a secret",
       "if it is not a secret, set it with --set"});
}

const YamlNode* child(const YamlNode* node, std::string_view key) {
  const auto* entry = node == nullptr ? nullptr : node->find(key);
  return entry == nullptr ? nullptr : &entry->value;
}

void check_cluster(const YamlNode& section, std::vector<ScenarioError>& errors) {
  static const std::regex name(R"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)");
  for (const auto* key : {"namespace", "config_secret", "repository_claim", "pull_secret"}) {
    const auto* value = child(&section, key);
    if (value == nullptr || value->kind != YamlNode::Kind::scalar) continue;
    if (std::regex_match(value->text, name)) continue;
    errors.push_back({value->position,
                      fmt::format("'{}' is not a valid Kubernetes object name", value->written),
                      "use lower-case letters, digits, '-' and '.'"});
  }
  if (const auto* user = child(&section, "user"); user != nullptr && user->text == "0") {
    errors.push_back({user->position, "PostgreSQL refuses to run as root",
                      "set the user id of the image's account, for example 999"});
  }
}

void check_egress(const YamlNode& sandbox, std::vector<ScenarioError>& errors) {
  const auto* egress = child(&sandbox, "egress");
  const bool open = egress != nullptr && egress->text == "repository";
  const auto* addresses = child(child(&sandbox, "kubernetes"), "repository_addresses");
  if (open && addresses == nullptr) {
    errors.push_back({egress->position, "egress: repository requires the repository's addresses",
                      "add kubernetes: { repository_addresses: [203.0.113.0/24:443] }"});
  }
  if (addresses == nullptr) return;
  if (!open) {
    errors.push_back({addresses->position, "repository_addresses requires egress: repository",
                      "add egress: repository, or remove the addresses"});
  }
  std::vector<const YamlNode*> values;
  for (const auto& item : addresses->items) values.push_back(&item);
  if (addresses->kind == YamlNode::Kind::scalar) values.push_back(addresses);
  for (const auto* value : values) {
    if (parse_pod_address(value->text)) continue;
    errors.push_back({value->position,
                      fmt::format("'{}' is not an address and port", value->written),
                      "for example 203.0.113.7:443, 203.0.113.0/24:443 or [2001:db8::/64]:443"});
  }
}

}  // namespace

std::string scenario_inside_pod(const YamlNode& root, const SandboxSpec& sandbox) {
  std::string text = "{\n";
  for (const auto& entry : root.entries) {
    // This process writes the reports, records the drill and sends the notifications.
    static constexpr std::array<std::string_view, 6> outside{"sandbox", "reports", "schedule",
                                                             "timeout", "ledger",  "notify"};
    if (std::ranges::find(outside, entry.key) != outside.end()) continue;
    text += fmt::format("  {}: ", quoted(entry.key));
    write(entry.value, text, "  ");
    text += ",\n";
  }
  return text + fmt::format("  \"sandbox\": {}\n}}\n", local_sandbox(sandbox));
}

void check_pod_rules(const YamlNode& root, std::vector<ScenarioError>& errors) {
  const auto* sandbox = child(&root, "sandbox");
  if (sandbox == nullptr) return;
  if (const auto* primary = child(&root, "primary")) {
    errors.push_back({primary->position, "a pod may not connect to a live primary",
                      "use a fingerprint file: `pgrehearse fingerprint`, and comparison: { "
                      "against: FILE } with FILE in config_secret"});
  }
  if (child(sandbox, "image") == nullptr) {
    errors.push_back({sandbox->position, "missing key 'image' in sandbox",
                      "set an image that contains pgrehearse, PostgreSQL and pgBackRest"});
  }
  const auto* backup = child(child(&root, "repository"), "backup");
  if (backup != nullptr && backup->text == "unproved") {
    errors.push_back({backup->position, "a pod cannot read the ledger",
                      "use backup: latest, oldest, random or a label"});
  }
  if (const auto* section = child(sandbox, "kubernetes")) check_cluster(*section, errors);
  check_egress(*sandbox, errors);
  for (const auto& entry : root.entries) {
    if (entry.key != "notify") refuse_environment(entry.value, errors);
  }
}

Bytes pod_memory(const SandboxSpec& spec) {
  return spec.memory.value_or(Bytes{std::uint64_t{2} << 30U});
}

int pod_cpus(const SandboxSpec& spec) { return spec.cpus > 0 ? spec.cpus : 2; }

std::optional<PodAddress> parse_pod_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  PodAddress address;
  const auto digits = text.substr(colon + 1);
  const auto [end, failure] =
      std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  constexpr int last_port = 65535;
  if (failure != std::errc{} || end != digits.data() + digits.size() || address.port < 1 ||
      address.port > last_port) {
    return {};
  }
  auto network = text.substr(0, colon);
  const bool bracketed = network.starts_with('[') && network.ends_with(']');
  if (bracketed) network = network.substr(1, network.size() - 2);
  const auto slash = network.find('/');
  const std::string host(network.substr(0, slash));
  std::array<unsigned char, sizeof(in6_addr)> binary{};
  const int most = bracketed ? 128 : 32;
  if (inet_pton(bracketed ? AF_INET6 : AF_INET, host.c_str(), binary.data()) != 1) return {};
  int length = most;
  if (slash != std::string_view::npos) {
    const auto written = network.substr(slash + 1);
    const auto [stop, wrong] =
        std::from_chars(written.data(), written.data() + written.size(), length);
    if (wrong != std::errc{} || stop != written.data() + written.size()) return {};
  }
  if (length < 0 || length > most) return {};
  address.cidr = fmt::format("{}/{}", host, length);
  return address;
}

}  // namespace pgrehearse
