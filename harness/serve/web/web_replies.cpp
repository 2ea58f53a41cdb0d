#include "harness/serve/web/web_replies.hpp"

#include "harness/common/text.hpp"
#include "harness/serve/web/web_json.hpp"

namespace pgrehearse {

namespace {

constexpr std::string_view cookie_name = "pgrehearse_session=";

}  // namespace

httplib::Headers security_headers() {
  return {{"Content-Security-Policy",
           "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "
           "'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
          {"X-Content-Type-Options", "nosniff"},
          {"X-Frame-Options", "DENY"},
          {"Referrer-Policy", "no-referrer"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"Cross-Origin-Resource-Policy", "same-origin"}};
}

void send_json(httplib::Response& response, const nlohmann::ordered_json& json, int status) {
  response.status = status;
  response.set_header("Cache-Control", "no-store");
  response.set_content(text_of(json) + "\n", "application/json");
}

void send_error(httplib::Response& response, int status, const std::string& message,
                const std::string& hint) {
  send_json(response, {{"error", {{"message", message}, {"hint", hint}}}}, status);
}

AccessRequest access_request(const AccessRules& rules, const httplib::Request& request) {
  const auto header = [&](const char* name) { return request.get_header_value(name); };
  return {
      .method = request.method,
      .path = request.path,
      .host = header("Host"),
      .origin = header("Origin"),
      .fetch_site = header("Sec-Fetch-Site"),
      .content_type = header("Content-Type"),
      .authorization = header("Authorization"),
      .session = session_of_cookie(header("Cookie")),
      .proxy_user = rules.user_header.empty() ? std::string() : header(rules.user_header.c_str()),
      .remote = request.remote_addr};
}

std::string session_of_cookie(const std::string& cookies) {
  for (const auto cookie : split(cookies, ';')) {
    const auto text = trim(cookie);
    if (text.starts_with(cookie_name)) return std::string(text.substr(cookie_name.size()));
  }
  return {};
}

std::string session_cookie(const std::string& id, bool secure) {
  return std::string(cookie_name) + id + "; Path=/; HttpOnly; SameSite=Strict" +
         (secure ? "; Secure" : "") + (id.empty() ? "; Max-Age=0" : "");
}

}  // namespace pgrehearse
