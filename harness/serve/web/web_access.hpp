// Who may read the pages of `serve`, and who may start and stop drills.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/common/units.hpp"

namespace pgrehearse {

struct AccessRules {
  std::string token;
  bool loopback = true;     // the server listens on a loopback address only
  bool read_only = false;   // nothing can be started or stopped
  std::string user_header;  // set by a reverse proxy on this host; empty: none is trusted
  std::vector<std::string> host_names;  // names in URLs, in addition to loopback names
};

// What a decision depends on. Absent headers are empty.
struct AccessRequest {
  std::string method;
  std::string path;
  std::string host;
  std::string origin;
  std::string fetch_site;  // Sec-Fetch-Site
  std::string content_type;
  std::string authorization;
  std::string session;  // of the cookie
  std::string proxy_user;
  std::string remote;  // address of the peer
};

struct AccessDecision {
  int status = 200;           // otherwise the HTTP status of the refusal
  std::string reason;         // of the refusal
  std::string operator_name;  // who asks; empty: nobody in particular
};

// Sessions of browsers that have shown the token. Thread-safe, bounded.
class WebSessions {
 public:
  explicit WebSessions(std::function<Instant()> now) : now_(std::move(now)) {}
  std::string create();
  void remove(const std::string& id);
  [[nodiscard]] bool contains(const std::string& id) const;

 private:
  std::function<Instant()> now_;
  mutable std::mutex mutex_;
  std::map<std::string, Instant> expires_;
};

// In constant time.
bool is_same_secret(std::string_view a, std::string_view b);
// 256 random bits in hexadecimal.
std::string random_secret();

AccessDecision decide_access(const AccessRules& rules, const WebSessions& sessions,
                             const AccessRequest& request);

}  // namespace pgrehearse
