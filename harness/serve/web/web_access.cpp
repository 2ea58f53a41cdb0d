#include "harness/serve/web/web_access.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <random>

namespace pgrehearse {

namespace {

constexpr std::size_t most_sessions = 1000;
constexpr std::chrono::hours session_length{12};
constexpr std::string_view bearer = "Bearer ";

// Without the port.
std::string_view name_of_host(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool is_loopback_name(std::string_view name) {
  return name == "localhost" || name == "127.0.0.1" || name == "[::1]";
}

bool is_loopback_address(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

bool is_public(std::string_view path) {
  return path == "/healthz" || path == "/login" || path == "/api/v1/session" ||
         path.starts_with("/assets/");
}

bool changes_something(std::string_view method) { return method != "GET" && method != "HEAD"; }

// A page of another site may send requests, too, with this site's cookies.
bool is_cross_site(const AccessRequest& request) {
  if (!request.fetch_site.empty() && request.fetch_site != "same-origin" &&
      request.fetch_site != "none") {
    return true;
  }
  if (request.origin.empty()) return false;
  const auto scheme = request.origin.find("://");
  return scheme == std::string::npos || request.origin.substr(scheme + 3) != request.host;
}

struct Identity {
  bool known = false;
  bool ambient = false;  // a browser sends it by itself
  std::string name;
};

Identity identify(const AccessRules& rules, const WebSessions& sessions,
                  const AccessRequest& request) {
  if (request.authorization.starts_with(bearer)) {
    const auto token = std::string_view(request.authorization).substr(bearer.size());
    return {.known = !rules.token.empty() && is_same_secret(token, rules.token), .name = "token"};
  }
  if (!rules.user_header.empty() && !request.proxy_user.empty() &&
      is_loopback_address(request.remote)) {
    return {.known = true, .ambient = true, .name = request.proxy_user};
  }
  if (sessions.contains(request.session)) {
    return {.known = true, .ambient = true, .name = "web"};
  }
  return {};
}

}  // namespace

std::string WebSessions::create() {
  const std::lock_guard lock(mutex_);
  const auto now = now_();
  std::erase_if(expires_, [&](const auto& session) { return session.second <= now; });
  if (expires_.size() >= most_sessions) {
    expires_.erase(
        std::ranges::min_element(expires_, {}, [](const auto& session) { return session.second; }));
  }
  auto id = random_secret();
  expires_[id] = now + session_length;
  return id;
}

void WebSessions::remove(const std::string& id) {
  const std::lock_guard lock(mutex_);
  expires_.erase(id);
}

bool WebSessions::contains(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = expires_.find(id);
  return found != expires_.end() && found->second > now_();
}

bool is_same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string random_secret() {
  std::random_device device;
  std::string secret;
  for (int i = 0; i < 8; ++i) secret += fmt::format("{:08x}", device());
  return secret;
}

AccessDecision decide_access(const AccessRules& rules, const WebSessions& sessions,
                             const AccessRequest& request) {
  const auto host = name_of_host(request.host);
  const bool named = std::ranges::find(rules.host_names, host) != rules.host_names.end();
  // A name that an attacker's DNS points to this address is not this site.
  if (rules.loopback && !named && !is_loopback_name(host)) {
    return {.status = 421, .reason = "unknown host name; allow it with --host-name"};
  }
  const bool change = changes_something(request.method);
  if (change && is_cross_site(request)) {
    return {.status = 403, .reason = "the request comes from another site"};
  }
  const auto identity = identify(rules, sessions, request);
  if (!request.authorization.empty() && !identity.known) {
    return {.status = 401, .reason = "wrong token"};
  }
  if (request.path == "/api/v1/session" || (!change && is_public(request.path))) {
    return {.operator_name = identity.name};
  }
  if (change && rules.read_only) return {.status = 403, .reason = "the server is read-only"};
  if (!identity.known && (change || !rules.loopback)) {
    return {.status = 401, .reason = "a token is needed"};
  }
  // A form of another site cannot send JSON, and a browser names the origin of a script's request.
  const bool proves_origin = !request.origin.empty() || !request.fetch_site.empty();
  if (change && identity.ambient && !proves_origin) {
    return {.status = 403, .reason = "the request has no Origin"};
  }
  if (change && request.content_type.substr(0, 16) != "application/json") {
    return {.status = 415, .reason = "the request is not application/json"};
  }
  return {.operator_name = identity.name};
}

}  // namespace pgrehearse
