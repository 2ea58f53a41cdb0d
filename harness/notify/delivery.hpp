// What a channel needs to deliver a message once, and how it reports that it could not.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/common/error.hpp"
#include "harness/http/http_client.hpp"
#include "harness/http/mail.hpp"
#include "harness/notify/message.hpp"
#include "harness/notify/secrets.hpp"
#include "harness/process/command_runner.hpp"
#include "harness/scenario/notification/notification_spec.hpp"

namespace pgrehearse {

// The message may contain secrets: the notifier redacts it.
class DeliveryError : public Error {
 public:
  DeliveryError(const std::string& message, bool is_temporary)
      : Error(ErrorKind::environment, message), is_temporary_(is_temporary) {}
  // Another attempt may succeed.
  [[nodiscard]] bool is_temporary() const { return is_temporary_; }

 private:
  bool is_temporary_;
};

using SendMail = std::function<void(const MailServer&, const Mail&, std::chrono::milliseconds,
                                    const std::stop_token&)>;

// Safe to use from several threads.
struct Transports {
  const HttpClient& http;
  SendMail mail;
  CommandRunner& commands;
};

// One attempt to deliver one message.
struct Attempt {
  const Message& message;
  const NotificationSpec& spec;
  Secrets& secrets;
  const Transports& transports;
  std::chrono::milliseconds timeout;
  std::stop_token stop;
};

// Sends `body` as JSON; nothing is returned unless the other side accepted it. Throws
// DeliveryError, and Error(interrupted).
void post_json(const Attempt& attempt, const std::string& url, const std::string& body,
               std::vector<std::string> headers = {});
// The same for any request.
void exchange(const Attempt& attempt, HttpRequest request);

}  // namespace pgrehearse
