#include "harness/http/mail.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "harness/common/text.hpp"
#include "harness/common/throw_if_stopped.hpp"
#include "harness/common/utf8.hpp"
#include "harness/http/base64.hpp"
#include "harness/http/curl_transfer.hpp"

namespace pgrehearse {

namespace {

using Mime = std::unique_ptr<curl_mime, decltype(&curl_mime_free)>;

void append(CurlHeaders& headers, const std::string& line) {
  // The list keeps its first element.
  auto* first = curl_slist_append(headers.get(), line.c_str());
  if (!headers) headers.reset(first);
}

CurlHeaders headers_of(const Mail& mail) {
  CurlHeaders headers(nullptr, &curl_slist_free_all);
  append(headers, fmt::format("Date: {:%a, %d %b %Y %H:%M:%S} +0000",
                              fmt::gmtime(std::chrono::system_clock::now())));
  append(headers, "From: " + mail.from);
  append(headers, "To: " + join(mail.to, ", "));
  append(headers, fmt::format("Message-ID: <{}>", mail.id));
  append(headers, "Subject: " + encoded_subject(mail.subject));
  append(headers, "Auto-Submitted: auto-generated");
  return headers;
}

void set_server(CURL* easy, const MailServer& server) {
  auto url = server.url;
  if (server.encryption == MailServer::Encryption::tls) url.replace(0, 4, "smtps");
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  const bool encrypted = server.encryption != MailServer::Encryption::none;
  curl_easy_setopt(easy, CURLOPT_USE_SSL,
                   static_cast<long>(encrypted ? CURLUSESSL_ALL : CURLUSESSL_NONE));
  if (server.ca) curl_easy_setopt(easy, CURLOPT_CAINFO, server.ca->c_str());
  if (server.username.empty()) return;
  curl_easy_setopt(easy, CURLOPT_USERNAME, server.username.c_str());
  curl_easy_setopt(easy, CURLOPT_PASSWORD, server.password.c_str());
}

bool is_temporary(CURLcode code, long status) {
  constexpr long permanent = 500;
  if (status >= permanent) return false;
  constexpr std::array never{CURLE_LOGIN_DENIED, CURLE_PEER_FAILED_VERIFICATION,
                             CURLE_SSL_CACERT_BADFILE, CURLE_USE_SSL_FAILED, CURLE_URL_MALFORMAT};
  return std::ranges::find(never, code) == never.end();
}

}  // namespace

std::string encoded_subject(const std::string& subject) {
  const bool plain = std::ranges::all_of(subject, [](char c) { return c >= ' ' && c <= '~'; });
  if (plain) return subject;
  constexpr std::size_t longest = 45;  // bytes of an encoded word, which has at most 75 characters
  std::vector<std::string> words;
  std::string word;
  for (std::string_view rest = subject; !rest.empty();) {
    const auto length = first_character(rest).length;
    if (word.size() + length > longest) words.push_back(std::exchange(word, {}));
    word += rest.substr(0, length);
    rest.remove_prefix(length);
  }
  words.push_back(word);
  std::ranges::transform(words, words.begin(), [](const auto& part) {
    return fmt::format("=?utf-8?B?{}?=", base64(part));
  });
  return join(words, "\r\n ");
}

void send_mail(const MailServer& server, const Mail& mail, std::chrono::milliseconds timeout,
               const std::stop_token& stop) {
  initialize_curl();
  const auto easy = new_curl_transfer();
  std::array<char, CURL_ERROR_SIZE> detail{};
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, detail.data());
  curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  set_server(easy.get(), server);
  const auto headers = headers_of(mail);
  CurlHeaders recipients(nullptr, &curl_slist_free_all);
  for (const auto& recipient : mail.to) append(recipients, fmt::format("<{}>", recipient));
  const Mime mime(curl_mime_init(easy.get()), &curl_mime_free);
  auto* part = curl_mime_addpart(mime.get());
  curl_mime_data(part, mail.text.data(), mail.text.size());
  curl_mime_type(part, "text/plain; charset=utf-8");
  curl_mime_encoder(part, "quoted-printable");
  const auto sender = fmt::format("<{}>", mail.from);
  curl_easy_setopt(easy.get(), CURLOPT_MAIL_FROM, sender.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_MAIL_RCPT, recipients.get());
  curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy.get(), CURLOPT_MIMEPOST, mime.get());
  const auto code = perform_curl_transfer(easy.get(), stop);
  if (code == CURLE_OK) return;
  throw_if_stopped(stop);
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  const std::string reason(trim(detail.data()));
  throw MailError(reason.empty() ? curl_easy_strerror(code) : reason, is_temporary(code, status));
}

}  // namespace pgrehearse
