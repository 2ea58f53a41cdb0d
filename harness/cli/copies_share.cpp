#include "harness/cli/copies_share.hpp"

#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <random>

#include "harness/common/shell_words.hpp"
#include "harness/common/text.hpp"
#include "harness/copies/sharing/reader_role.hpp"
#include "harness/http/url_encoding.hpp"
#include "harness/process/command.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

std::string new_password() {
  constexpr std::string_view letters = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
  constexpr int length = 24;
  std::random_device random;  // the kernel's
  std::uniform_int_distribution<std::size_t> choice(0, letters.size() - 1);
  std::string password;
  for (int i = 0; i < length; ++i) password += letters[choice(random)];
  return password;
}

void add_allowed(const std::string& word, AccessRelayOptions& access) {
  if (word.starts_with('@')) {
    const auto group = find_group(word.substr(1));
    if (!group) {
      throw Error(ErrorKind::usage,
                  fmt::format("group '{}' does not exist on this host", word.substr(1)),
                  "--allow ACCOUNT or --allow @GROUP");
    }
    access.groups.insert(*group);
    return;
  }
  try {
    access.accounts.insert(find_account(word).uid);
  } catch (const Error&) {
    throw Error(ErrorKind::usage, fmt::format("account '{}' does not exist on this host", word),
                "--allow ACCOUNT or --allow @GROUP");
  }
}

}  // namespace

SharedCopy prepare_share(Sandbox& copy, const RegistryEntry& entry, const CopiesShare& arguments,
                         const std::stop_token& stop) {
  if (arguments.allow.empty() && !arguments.tcp) {
    throw Error(ErrorKind::usage, "share needs --allow or --tcp",
                "--allow alice, --allow @dba, or --tcp for a connection with a password");
  }
  SharedCopy shared;
  for (const auto& word : arguments.allow) add_allowed(word, shared.access);
  if (!arguments.time.empty()) {
    shared.time = parse_duration(arguments.time);
    if (!shared.time) {
      throw Error(ErrorKind::usage, fmt::format("'{}' is not a duration", arguments.time),
                  "for example --for 2h");
    }
  }
  auto& access = shared.access;
  access.role = admit_role(copy, arguments.role, stop);
  access.socket = copy.paths().sockets / ".s.PGSQL.5432";
  access.data = copy.paths().data;
  access.name = "pgrehearse-" + entry.run_id;
  if (arguments.tcp) {
    access.port = arguments.port;
    access.password = new_password();
  }
  return shared;
}

ExitCode share_copy(SharedCopy shared, const RegistryEntry& entry, const CopiesShare& arguments,
                    const std::string& database, const CommonOptions& common,
                    const std::stop_token& stop) {
  const auto role = shared.access.role;
  const auto name = shared.access.name;
  const auto password = shared.access.password;
  AccessRelay relay(std::move(shared.access));
  const auto url = relay.port() == 0
                       ? std::string()
                       : fmt::format("postgresql://{}:{}@127.0.0.1:{}/{}", url_encoded(role),
                                     password, relay.port(), url_encoded(database));
  if (common.format == "json") {
    nlohmann::ordered_json json{
        {"run_id", entry.run_id}, {"role", role}, {"host", "@" + name}, {"allow", arguments.allow}};
    json["url"] = url.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(url);
    std::cout << json.dump() << std::endl;
  } else {
    std::cout << fmt::format("sharing {} as role {}{}\n", entry.run_id, printable(role),
                             shared.time ? " for " + arguments.time : " until interrupted");
    if (!arguments.allow.empty()) {
      std::cout << fmt::format("  {}: psql -h @{} -U {} -d {}\n",
                               printable(join(arguments.allow, ", ")), name, shell_word(role),
                               shell_word(database));
    }
    if (!url.empty()) std::cout << fmt::format("  {}\n", url);
    std::cout.flush();
  }
  relay.run(shared.time, stop);
  return ExitCode::pass;
}

}  // namespace pgrehearse
