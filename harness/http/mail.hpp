// Sends a mail through an SMTP server, with libcurl.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/common/error.hpp"

namespace pgrehearse {

// Never print it: it holds a password.
struct MailServer {
  enum class Encryption { starttls, tls, none };

  std::string url;  // smtp://host:port
  Encryption encryption = Encryption::starttls;
  std::optional<std::filesystem::path> ca;  // absent: the system's authorities
  std::string username;                     // empty: no authentication
  std::string password;
};

struct Mail {
  std::string id;  // unique; the same for each attempt to send this mail
  std::string from;
  std::vector<std::string> to;
  std::string subject;  // UTF-8
  std::string text;     // UTF-8
};

class MailError : public Error {
 public:
  MailError(const std::string& message, bool is_temporary)
      : Error(ErrorKind::environment, message), is_temporary_(is_temporary) {}
  // The server did not respond, or asks to try again later.
  [[nodiscard]] bool is_temporary() const { return is_temporary_; }

 private:
  bool is_temporary_;
};

// Throws MailError, and Error(interrupted).
void send_mail(const MailServer& server, const Mail& mail, std::chrono::milliseconds timeout,
               const std::stop_token& stop);

// The subject as a header's value: encoded (RFC 2047) unless it is ASCII.
std::string encoded_subject(const std::string& subject);

}  // namespace pgrehearse
