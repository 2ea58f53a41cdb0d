#include "harness/repository/pgbackrest/configured_repositories.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include "harness/common/text.hpp"
#include "harness/process/acting_account.hpp"
#include "harness/repository/pgbackrest/pgbackrest_access.hpp"

namespace pgrehearse {

namespace {

bool is_replaced_in_copy(std::string_view option) {
  constexpr std::array<std::string_view, 8> own{
      "lock-path", "log-path",    "spool-path",          "log-level-file",
      "config",    "config-path", "config-include-path", "archive-async"};
  if (option.starts_with("repo")) return true;
  // pg1-host, pg2-host-user: the copy is restored on this host.
  if (option.starts_with("pg") && option.find("-host") != std::string_view::npos) return true;
  return std::find(own.begin(), own.end(), option) != own.end();
}

std::vector<std::string> other_lines_of(const std::vector<std::string>& texts) {
  std::vector<std::string> kept;
  for (const auto& text : texts) {
    for (const auto raw : lines_of(text)) {
      const auto line = trim(raw);
      if (line.empty() || line.front() == '#') continue;
      const bool section = line.front() == '[';
      if (!section && is_replaced_in_copy(trim(line.substr(0, line.find('='))))) continue;
      kept.emplace_back(line);
    }
  }
  return kept;
}

std::string value_of(const std::map<std::string, std::string>& options, const char* name) {
  const auto option = options.find(name);
  return option == options.end() ? std::string() : option->second;
}

}  // namespace

std::vector<ConfiguredRepository> parse_configured_repositories(
    const std::vector<std::string>& texts, const std::map<std::string, std::string>& variables,
    const std::string& stanza) {
  std::vector<ConfiguredRepository> repositories;
  const auto others = other_lines_of(texts);
  for (const auto& [key, options] : pgbackrest_repositories(texts, variables, stanza)) {
    ConfiguredRepository repository{.key = key, .other_lines = others};
    const auto type = value_of(options, "type");
    const auto host = value_of(options, "host");
    if (!host.empty()) {
      repository.remote = fmt::format("repo{} is on host {}", key, host);
    } else if (!type.empty() && type != "posix" && type != "cifs") {
      repository.remote = fmt::format("repo{} is of type {}", key, type);
    }
    const auto path = value_of(options, "path");
    repository.path = path.empty() ? "/var/lib/pgbackrest" : path;
    const auto cipher = value_of(options, "cipher-type");
    if (cipher != "none") repository.cipher_type = cipher;
    if (!repository.cipher_type.empty()) repository.passphrase = value_of(options, "cipher-pass");
    repositories.push_back(std::move(repository));
  }
  return repositories;
}

std::vector<ConfiguredRepository> read_configured_repositories(const RepositorySpec& spec,
                                                               const Account& account) {
  const auto variables = pgbackrest_variables();
  const ActingAccount acting(account);
  std::vector<std::string> texts;
  for (const auto& file : pgbackrest_configuration_files(spec.configuration, variables)) {
    std::ifstream stream(file);
    texts.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  return parse_configured_repositories(texts, variables, spec.stanza);
}

std::string configuration_of_copy(const ConfiguredRepository& repository,
                                  const std::filesystem::path& path,
                                  const std::filesystem::path& own) {
  auto text = fmt::format(
      "[global]\nrepo1-path={}\nlock-path={}\nlog-path={}\nspool-path={}\nlog-level-file=off\n",
      path.native(), (own / "lock").native(), (own / "log").native(), (own / "spool").native());
  if (!repository.cipher_type.empty()) {
    text += fmt::format("repo1-cipher-type={}\nrepo1-cipher-pass={}\n", repository.cipher_type,
                        repository.passphrase);
  }
  for (const auto& line : repository.other_lines) text += line + "\n";
  return text;
}

}  // namespace pgrehearse
