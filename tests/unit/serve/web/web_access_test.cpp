#include "harness/serve/web/web_access.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

class WebAccess : public testing::Test {
 protected:
  int status(const AccessRequest& request) const {
    return decide_access(rules, sessions, request).status;
  }
  static AccessRequest reading() {
    return {.method = "GET", .path = "/", .host = "localhost:8417", .remote = "127.0.0.1"};
  }
  static AccessRequest starting() {
    return {.method = "POST",
            .path = "/api/v1/drills",
            .host = "localhost:8417",
            .content_type = "application/json",
            .remote = "127.0.0.1"};
  }
  AccessRequest with_session(AccessRequest request) {
    request.session = sessions.create();
    request.origin = "http://localhost:8417";
    return request;
  }

  Instant now = *parse_instant("2026-11-20T03:00:00Z");
  AccessRules rules{.token = "0123456789abcdef"};
  WebSessions sessions{[this] { return now; }};
};

TEST_F(WebAccess, ReadingNeedsATokenOnlyFromOtherHosts) {
  EXPECT_EQ(status(reading()), 200);
  rules.loopback = false;
  EXPECT_EQ(status(reading()), 401);
  auto request = reading();
  request.authorization = "Bearer 0123456789abcdef";
  EXPECT_EQ(status(request), 200);
  request = reading();
  request.path = "/healthz";
  EXPECT_EQ(status(request), 200) << "for load balancers";
}

TEST_F(WebAccess, StartingNeedsTheTokenEverywhere) {
  EXPECT_EQ(status(starting()), 401);
  auto request = starting();
  for (const auto* wrong : {"Bearer 0123456789abcdee", "Bearer ", "Bearer 0123456789abcdef0",
                            "Basic 0123456789abcdef", "0123456789abcdef"}) {
    request.authorization = wrong;
    EXPECT_EQ(status(request), 401) << wrong;
  }
  request.authorization = "Bearer 0123456789abcdef";
  EXPECT_EQ(status(request), 200);
  EXPECT_EQ(decide_access(rules, sessions, request).operator_name, "token");
  rules.token.clear();
  request.authorization = "Bearer ";
  EXPECT_EQ(status(request), 401) << "no token is configured";
}

TEST_F(WebAccess, WrongTokenIsRefusedForReadingToo) {
  auto request = reading();
  request.authorization = "Bearer wrong";
  EXPECT_EQ(status(request), 401);
}

TEST_F(WebAccess, CrossSiteRequestsAreRefused) {
  EXPECT_EQ(status(with_session(starting())), 200);
  auto request = with_session(starting());
  request.origin = "http://evil.example";
  EXPECT_EQ(status(request), 403);
  request.origin = "null";
  EXPECT_EQ(status(request), 403);
  request.origin.clear();
  EXPECT_EQ(status(request), 403) << "a browser always says where a script's request comes from";
  request.fetch_site = "cross-site";
  EXPECT_EQ(status(request), 403);
  request.fetch_site = "same-site";
  EXPECT_EQ(status(request), 403);
  request.fetch_site = "same-origin";
  EXPECT_EQ(status(request), 200);
  request = with_session(starting());
  request.content_type = "text/plain";
  EXPECT_EQ(status(request), 415) << "what a form can send";
}

TEST_F(WebAccess, NamesThatAnotherDnsPointsHereAreRefused) {
  auto request = reading();
  for (const auto* host : {"evil.example:8417", "localhost.evil.example", "", "127.0.0.1.nip.io"}) {
    request.host = host;
    EXPECT_EQ(status(request), 421) << host;
  }
  for (const auto* host : {"127.0.0.1:8417", "[::1]:8417", "localhost"}) {
    request.host = host;
    EXPECT_EQ(status(request), 200) << host;
  }
  request.host = "drills.example.com";
  rules.host_names = {"drills.example.com"};
  EXPECT_EQ(status(request), 200);
}

TEST_F(WebAccess, ReadOnlyRefusesChangesOfEverybody) {
  rules.read_only = true;
  EXPECT_EQ(status(with_session(starting())), 403);
  EXPECT_EQ(status(reading()), 200);
}

TEST_F(WebAccess, ProxyHeaderCountsOnlyFromThisHostAndIfConfigured) {
  auto request = starting();
  request.proxy_user = "alice";
  request.fetch_site = "same-origin";
  EXPECT_EQ(status(request), 401);
  rules.user_header = "X-Remote-User";
  EXPECT_EQ(status(request), 200);
  EXPECT_EQ(decide_access(rules, sessions, request).operator_name, "alice");
  request.remote = "192.0.2.7";
  EXPECT_EQ(status(request), 401);
}

TEST_F(WebAccess, SessionsExpireAndAreBounded) {
  const auto first = sessions.create();
  EXPECT_TRUE(sessions.contains(first));
  EXPECT_FALSE(sessions.contains(""));
  now += std::chrono::hours(13);
  EXPECT_FALSE(sessions.contains(first));
  const auto second = sessions.create();
  now += std::chrono::seconds(1);
  for (int i = 0; i < 1000; ++i) sessions.create();
  EXPECT_FALSE(sessions.contains(second)) << "the oldest makes room";
  const auto last = sessions.create();
  sessions.remove(last);
  EXPECT_FALSE(sessions.contains(last));
}

}  // namespace
}  // namespace pgrehearse
