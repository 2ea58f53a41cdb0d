#include "harness/postgres/connection_parameters.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <memory>
#include <string_view>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

// libpq quotes parts of the text, which may be a part of the password.
std::string without_quoted_parts(std::string_view message) {
  const auto text = trim(message);
  const auto first = text.find('"');
  if (first == std::string_view::npos) return std::string(text);
  return fmt::format("{}...{}", text.substr(0, first), text.substr(text.rfind('"') + 1));
}

}  // namespace

ConnectionParameters parse_dsn(const std::string& dsn) {
  char* message = nullptr;
  const Options options(PQconninfoParse(dsn.c_str(), &message), &PQconninfoFree);
  if (!options) {
    const auto reason = without_quoted_parts(message == nullptr ? "" : message);
    PQfreemem(message);
    throw Error(ErrorKind::usage, "not a connection string: " + reason,
                "use the form \"host=db1 dbname=postgres user=pgrehearse\"");
  }
  ConnectionParameters parameters;
  for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) parameters[option->keyword] = option->val;
  }
  return parameters;
}

std::string describe(const ConnectionParameters& parameters) {
  std::string text;
  for (const auto& [keyword, value] : parameters) {
    if (keyword == "password" || keyword == "sslpassword" || keyword == "options") continue;
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", keyword, value);
  }
  return text;
}

void refuse_address_of_environment(const ConnectionParameters& parameters) {
  if (!parameters.contains("host") || parameters.contains("hostaddr")) return;
  const Options defaults(PQconndefaults(), &PQconninfoFree);
  if (!defaults) return;
  for (const auto* option = defaults.get(); option->keyword != nullptr; ++option) {
    if (std::string_view(option->keyword) != "hostaddr" || option->val == nullptr) continue;
    throw Error(
        ErrorKind::environment,
        fmt::format(
            "PGHOSTADDR or PGSERVICE in the environment redirects the connection for {} to {}",
            parameters.at("host"), option->val),
        "unset PGHOSTADDR, or set hostaddr in primary.dsn", FindingCode::env_host, option->val);
  }
}

}  // namespace pgrehearse
