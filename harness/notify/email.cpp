#include <fmt/format.h>

#include "harness/notify/senders.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t longest_subject = 200;

MailServer server_of(const Attempt& attempt) {
  const auto& settings = attempt.spec.settings;
  MailServer server{.url = settings.get_or<std::string>("server", ""),
                    .username = settings.get_or<std::string>("username", ""),
                    .password = attempt.secrets.read("password")};
  const auto encryption = settings.get_or<std::string>("encryption", "starttls");
  if (encryption == "tls") server.encryption = MailServer::Encryption::tls;
  if (encryption == "none") server.encryption = MailServer::Encryption::none;
  if (const auto ca = settings.get<std::string>("ca")) server.ca = *ca;
  return server;
}

}  // namespace

void send_email(const Attempt& attempt) {
  const auto& settings = attempt.spec.settings;
  const auto& message = attempt.message;
  try {
    attempt.transports.mail(server_of(attempt),
                            {.id = fmt::format("{}@{}", message.run_id, message.host),
                             .from = settings.get_or<std::string>("from", ""),
                             .to = settings.get_or<std::vector<std::string>>("to", {}),
                             .subject = shortened(message.title, longest_subject),
                             .text = text_of(message)},
                            attempt.timeout, attempt.stop);
  } catch (const MailError& error) {
    throw DeliveryError(error.what(), error.is_temporary());
  }
}

}  // namespace pgrehearse
