#include "harness/repository/barman/barman_configuration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/process/acting_account.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

using Options = std::map<std::string, std::string>;

std::string value_of(const Options& options, const std::string& name) {
  const auto found = options.find(name);
  return found == options.end() ? std::string() : found->second;
}

// Whether the drill's configuration leaves the option out or sets it itself.
bool is_left_out(std::string_view name) {
  constexpr auto own = std::to_array<std::string_view>(
      {"incoming_wals_directory", "streaming_wals_directory", "errors_directory", "barman_user",
       "barman_lock_directory", "log_file", "log_level", "configuration_files_directory",
       "conninfo", "streaming_conninfo", "wal_conninfo", "wal_streaming_conninfo",
       "primary_conninfo", "ssh_command", "primary_ssh_command",
       "parallel_jobs_start_batch_period"});
  return std::ranges::find(own, name) != own.end() || name.starts_with("pre_") ||
         name.starts_with("post_");
}

// Subdirectory of the server's directory, unless the configuration names another.
fs::path directory_of(const BarmanConfiguration& configuration, const std::string& server,
                      const std::string& option, const char* name) {
  if (const auto stated = value_of(configuration.server, option); !stated.empty()) return stated;
  const auto own = value_of(configuration.server, "backup_directory");
  if (!own.empty()) return fs::path(own) / name;
  return fs::path(value_of(configuration.global, "barman_home")) / server / name;
}

std::string text_of(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

BarmanConfiguration parse_barman_configuration(const std::vector<std::string>& texts,
                                               const std::string& server) {
  BarmanConfiguration configuration;
  configuration.global["barman_home"] = "/var/lib/barman";
  for (const auto& text : texts) {
    std::string section;
    for (const auto raw : lines_of(text)) {
      const auto line = trim(raw);
      if (line.empty() || line.front() == ';' || line.front() == '#') continue;
      if (line.front() == '[' && line.back() == ']') {
        section = trim(line.substr(1, line.size() - 2));
        if (section != "barman") configuration.servers.push_back(section);
        continue;
      }
      const auto equals = line.find_first_of("=:");
      if (equals == std::string_view::npos) continue;
      auto& into = section == "barman" ? configuration.global : configuration.server;
      if (section != "barman" && section != server) continue;
      into[std::string(trim(line.substr(0, equals)))] = trim(line.substr(equals + 1));
    }
  }
  configuration.backups = directory_of(configuration, server, "basebackups_directory", "base");
  configuration.archive = directory_of(configuration, server, "wals_directory", "wals");
  configuration.incoming =
      directory_of(configuration, server, "incoming_wals_directory", "incoming");
  return configuration;
}

BarmanConfiguration read_barman_configuration(const std::optional<fs::path>& stated,
                                              const std::string& server, const Account& account) {
  const auto file = stated.value_or("/etc/barman.conf");
  const ActingAccount acting(account);
  std::ifstream stream(file);
  if (!stream) {
    throw Error(ErrorKind::environment,
                fmt::format("cannot read Barman's configuration {}", file.native()),
                "set repository.config, or give the account of the drill read permission",
                FindingCode::env_config, file);
  }
  std::vector<std::string> texts{{std::istreambuf_iterator<char>(stream), {}}};
  const auto more = parse_barman_configuration(texts, server).global;
  const auto included = value_of(more, "configuration_files_directory");
  std::vector<fs::path> files;
  std::error_code unreadable;
  for (fs::directory_iterator entry(included, unreadable), end; !unreadable && entry != end;
       entry.increment(unreadable)) {
    if (entry->path().extension() == ".conf") files.push_back(entry->path());
  }
  std::ranges::sort(files);
  for (const auto& each : files) texts.push_back(text_of(each));
  return parse_barman_configuration(texts, server);
}

std::string own_barman_configuration(const BarmanConfiguration& configuration,
                                     const std::string& server, const Account& account,
                                     const fs::path& own) {
  auto text =
      fmt::format("[barman]\nbarman_user = {}\nbarman_lock_directory = {}\nlog_file = /dev/null\n",
                  account.name, own.native());
  const auto append = [&](const Options& options) {
    for (const auto& [name, value] : options) {
      if (!is_left_out(name)) text += fmt::format("{} = {}\n", name, value);
    }
  };
  append(configuration.global);
  // A reserved top-level domain.
  text += fmt::format(
      "\n[{}]\nconninfo = host=primary.invalid\nstreaming_conninfo = host=primary.invalid\n"
      "ssh_command = false\n",
      server);
  // `recover` would archive the WAL that waits there.
  for (const auto* name :
       {"incoming_wals_directory", "streaming_wals_directory", "errors_directory"}) {
    text += fmt::format("{} = {}\n", name, (own / name).native());
  }
  append(configuration.server);
  return text;
}

}  // namespace pgrehearse
