#include "harness/repository/pgbackrest/pgbackrest_access.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <system_error>

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;
using Options = std::map<std::string, std::string>;

// Least important first, as pgBackRest ranks them.
std::vector<std::string> sections_of(const std::string& stanza) {
  return {"global", "global:archive-get",    "global:restore",
          stanza,   stanza + ":archive-get", stanza + ":restore"};
}

std::map<std::string, Options> parse_sections(const std::vector<std::string>& texts) {
  std::map<std::string, Options> sections;
  for (const auto& text : texts) {
    std::string section;
    for (const auto raw : lines_of(text)) {
      const auto line = trim(raw);
      if (line.empty() || line.front() == '#') continue;
      if (line.front() == '[' && line.back() == ']') {
        section = line.substr(1, line.size() - 2);
        continue;
      }
      const auto equals = line.find('=');
      if (equals == std::string_view::npos) continue;
      sections[section][std::string(trim(line.substr(0, equals)))] =
          std::string(trim(line.substr(equals + 1)));
    }
  }
  return sections;
}

// PGBACKREST_REPO1_PATH is repo1-path.
std::string option_name(std::string_view variable) {
  std::string name(variable.substr(std::string_view("PGBACKREST_").size()));
  for (char& c : name) c = c == '_' ? '-' : static_cast<char>(std::tolower(c));
  return name;
}

struct RepositoryOption {
  int key = 1;
  std::string name;  // "path"
};

// "repo2-path"; "repo-path" is an old form of repo1's.
std::optional<RepositoryOption> parse_repository_option(const std::string& name) {
  constexpr std::string_view prefix = "repo";
  if (!name.starts_with(prefix)) return {};
  RepositoryOption option;
  const char* begin = name.data() + prefix.size();
  const auto* end = std::from_chars(begin, name.data() + name.size(), option.key).ptr;
  if (*end != '-') return {};
  option.name = end + 1;
  return option;
}

std::string value_of(const Options& options, const std::string& name) {
  const auto found = options.find(name);
  return found == options.end() ? std::string() : found->second;
}

// The value of the first name that is set: options were renamed between releases.
std::string first_of(const Options& options, std::initializer_list<const char*> names) {
  for (const auto* name : names) {
    if (auto value = value_of(options, name); !value.empty()) return value;
  }
  return {};
}

// "https://name:9000", "name:9000", "name"; `port` takes precedence.
NetworkEndpoint endpoint_of(std::string_view host, const std::string& port, int default_port) {
  if (const auto scheme = host.find("://"); scheme != std::string_view::npos) {
    host.remove_prefix(scheme + 3);
  }
  NetworkEndpoint endpoint{.host = std::string(host.substr(0, host.find(':'))),
                           .port = default_port};
  const auto colon = host.find(':');
  const auto digits = port.empty() && colon != std::string_view::npos ? host.substr(colon + 1)
                                                                      : std::string_view(port);
  std::from_chars(digits.data(), digits.data() + digits.size(), endpoint.port);
  return endpoint;
}

void add_files(const Options& options, std::initializer_list<const char*> names,
               RepositoryAccess& access) {
  for (const auto* name : names) {
    if (const auto file = value_of(options, name); !file.empty()) access.paths.emplace_back(file);
  }
}

void add_repository_host(const Options& options, RepositoryAccess& access) {
  if (value_of(options, "host-type") != "tls") {
    access.obstacle = "SSH keys are not available in the sandbox; use repo-host-type=tls";
    return;
  }
  constexpr int tls_port = 8432;
  access.endpoints.push_back(
      endpoint_of(value_of(options, "host"), value_of(options, "host-port"), tls_port));
  add_files(options, {"host-ca-file", "host-ca-path", "host-cert-file", "host-key-file"}, access);
}

void add_object_store(const Options& options, const std::string& type, RepositoryAccess& access) {
  const bool azure = type == "azure";
  if (!azure && type != "s3") {
    access.obstacle = "network access from a sandbox is supported only for s3 and azure";
    return;
  }
  const auto key_type = value_of(options, azure ? "azure-key-type" : "s3-key-type");
  if (key_type == "auto" || key_type == "web-id") {
    access.obstacle = "its credentials come from the host's metadata service";
    return;
  }
  const auto host = first_of(options, {"storage-host", azure ? "azure-host" : "s3-host"});
  const auto port = first_of(options, {"storage-port", azure ? "azure-port" : "s3-port"});
  auto endpoint = value_of(options, azure ? "azure-endpoint" : "s3-endpoint");
  if (endpoint.empty() && azure) endpoint = "blob.core.windows.net";
  const bool by_path = value_of(options, azure ? "azure-uri-style" : "s3-uri-style") == "path";
  const auto owner = value_of(options, azure ? "azure-account" : "s3-bucket");
  constexpr int https_port = 443;
  access.endpoints.push_back(endpoint_of(!host.empty() ? host
                                         : by_path     ? endpoint
                                                       : owner + "." + endpoint,
                                         port, https_port));
  add_files(options,
            {"storage-ca-file", "storage-ca-path", azure ? "azure-ca-file" : "s3-ca-file",
             azure ? "azure-ca-path" : "s3-ca-path"},
            access);
}

}  // namespace

std::vector<fs::path> pgbackrest_configuration_files(
    const std::optional<fs::path>& stated, const std::map<std::string, std::string>& variables,
    const fs::path& root) {
  const auto variable = [&](const char* name) { return value_of(variables, name); };
  std::error_code unreadable;
  std::vector<fs::path> files;
  const auto file = stated ? stated->string() : variable("PGBACKREST_CONFIG");
  fs::path include = variable("PGBACKREST_CONFIG_INCLUDE_PATH");
  if (!file.empty()) {
    files.emplace_back(file);
  } else {
    fs::path directory = variable("PGBACKREST_CONFIG_PATH");
    if (directory.empty()) directory = root / "etc/pgbackrest";
    if (include.empty()) include = directory / "conf.d";
    const auto standard = directory / "pgbackrest.conf";
    files.push_back(fs::exists(standard, unreadable) ? standard : root / "etc/pgbackrest.conf");
  }
  if (!include.empty()) {
    std::vector<fs::path> included;
    for (fs::directory_iterator entry(include, unreadable), end; !unreadable && entry != end;
         entry.increment(unreadable)) {
      if (entry->path().extension() == ".conf") included.push_back(entry->path());
    }
    std::sort(included.begin(), included.end());
    files.insert(files.end(), included.begin(), included.end());
  }
  std::erase_if(files, [&](const auto& path) { return !fs::exists(path, unreadable); });
  return files;
}

std::vector<fs::path> with_link_targets(std::vector<fs::path> paths) {
  constexpr int deepest = 2;
  std::vector<fs::path> targets;
  for (const auto& path : paths) {
    std::error_code gone;
    for (fs::recursive_directory_iterator entry(path, gone), end; !gone && entry != end;
         entry.increment(gone)) {
      if (entry.depth() >= deepest) entry.disable_recursion_pending();
      std::error_code unreadable;
      if (!entry->is_symlink(unreadable)) continue;
      const auto target = fs::canonical(entry->path(), unreadable);
      if (!unreadable) targets.push_back(target);
    }
  }
  for (const auto& target : targets) {
    const bool inside = std::any_of(paths.begin(), paths.end(), [&](const auto& path) {
      const auto relative = target.lexically_relative(path);
      return !relative.empty() && *relative.begin() != "..";
    });
    if (!inside) paths.push_back(target);
  }
  return paths;
}

std::map<int, std::map<std::string, std::string>> pgbackrest_repositories(
    const std::vector<std::string>& texts, const std::map<std::string, std::string>& variables,
    const std::string& stanza) {
  const auto sections = parse_sections(texts);
  std::map<int, Options> repositories;
  const auto take = [&](const std::string& name, const std::string& value) {
    const auto option = parse_repository_option(name);
    if (option) repositories[option->key][option->name] = value;
  };
  for (const auto& name : sections_of(stanza)) {
    const auto section = sections.find(name);
    if (section == sections.end()) continue;
    for (const auto& [option, value] : section->second) take(option, value);
  }
  for (const auto& [variable, value] : variables) take(option_name(variable), value);
  if (repositories.empty()) repositories[1];
  return repositories;
}

RepositoryAccess parse_pgbackrest_access(const std::vector<std::string>& texts,
                                         const std::map<std::string, std::string>& variables,
                                         const RepositorySpec& spec) {
  RepositoryAccess access;
  for (const auto& [key, options] : pgbackrest_repositories(texts, variables, spec.stanza)) {
    if (spec.key && *spec.key != key) continue;
    const auto host = value_of(options, "host");
    const auto type = value_of(options, "type");
    const auto path = value_of(options, "path");
    if (!host.empty()) {
      access.remote = fmt::format("repo{} is on host {}", key, host);
      add_repository_host(options, access);
    } else if (!type.empty() && type != "posix" && type != "cifs") {
      access.remote = fmt::format("repo{} is of type {}", key, type);
      add_object_store(options, type, access);
    } else {
      access.paths.emplace_back(path.empty() ? "/var/lib/pgbackrest" : path);
    }
  }
  return access;
}

}  // namespace pgrehearse
