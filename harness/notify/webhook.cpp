#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <nlohmann/json.hpp>

#include "harness/notify/senders.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

std::string hmac_sha256(const std::string& key, const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
           &length) == nullptr) {
    throw Error(ErrorKind::internal, "OpenSSL cannot compute an HMAC");
  }
  std::string hexadecimal;
  for (unsigned int i = 0; i < length; ++i) hexadecimal += fmt::format("{:02x}", digest.at(i));
  return hexadecimal;
}

Json body_of(const Message& message, bool with_report) {
  Json body{{"schema", "pgrehearse.notification/1"},
            {"test", message.is_test},
            {"title", message.title},
            {"verdict", name_of(message.verdict)},
            {"previous_verdict", nullptr},
            {"scenario", message.scenario},
            {"stanza", message.stanza},
            {"code", message.code},
            {"cause", message.cause},
            {"next_step", message.next_step},
            {"run", message.run_id},
            {"host", message.host},
            {"started", to_iso8601(message.started)},
            {"finished", to_iso8601(message.finished)},
            {"incident", incident_key(message)}};
  if (message.previous) body["previous_verdict"] = name_of(*message.previous);
  for (const auto& fact : message.facts) body["facts"][fact.name] = fact.value;
  if (with_report) body["report"] = Json::parse(message.report);
  return body;
}

}  // namespace

void send_to_webhook(const Attempt& attempt) {
  const auto& settings = attempt.spec.settings;
  const auto body = body_of(attempt.message, settings.get_or("report", false)).dump();
  std::vector<std::string> headers;
  if (const auto key = attempt.secrets.read("secret"); !key.empty()) {
    headers.push_back("X-Pgrehearse-Signature: sha256=" + hmac_sha256(key, body));
  }
  if (const auto token = attempt.secrets.read("token"); !token.empty()) {
    headers.push_back("Authorization: Bearer " + token);
  }
  // Parts of the address may be secret.
  const auto url = attempt.secrets.also(settings.get_or<std::string>("url", ""));
  post_json(attempt, url, body, std::move(headers));
}

}  // namespace pgrehearse
