#include "harness/http/curl_http_client.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <functional>

#include "harness/common/error.hpp"
#include "tests/fakes/scripted_http_client.hpp"
#include "tests/fakes/scripted_http_server.hpp"

namespace pgrehearse {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr const char* hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
constexpr const char* missing = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone";
constexpr const char* truncated = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello";

// The kind and the message of the error that `action` throws.
std::pair<ErrorKind, std::string> error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  return {ErrorKind::internal, "nothing was thrown"};
}

// Both implementations must do this.
template <typename Client>
void expect_contract(const Client& client, const std::string& url, const std::string& refused) {
  const auto response = client.send({.url = url}, {});
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, "none");
  EXPECT_EQ(error_of([&] { (void)client.send({.url = refused}, {}); }).first,
            ErrorKind::environment);
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(error_of([&] { (void)client.send({.url = url}, source.get_token()); }).first,
            ErrorKind::interrupted);
}

TEST(HttpClientContractTest, LibcurlClientFulfilsIt) {
  const ScriptedHttpServer server(missing);
  expect_contract(CurlHttpClient({}), server.url(), "http://127.0.0.1:1");
}

TEST(HttpClientContractTest, ScriptedClientFulfilsIt) {
  HttpScript script;
  script.responses["http://one"] = {404, "none"};
  expect_contract(ScriptedHttpClient(script), "http://one", "http://other");
}

TEST(CurlHttpClientTest, SendsCredentialsAndReturnsTheBody) {
  ScriptedHttpServer server(hello);
  const CurlHttpClient client({.credentials = {.username = "user", .password = "secret"}});
  const auto response = client.send({.url = server.url() + "/cluster"}, {});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "hello");
  EXPECT_THAT(server.request(), HasSubstr("GET /cluster HTTP/1.1"));
  EXPECT_THAT(server.request(), HasSubstr("Authorization: Basic dXNlcjpzZWNyZXQ="));
}

TEST(CurlHttpClientTest, PostsJsonOverAUnixSocket) {
  const auto socket = std::filesystem::path(testing::TempDir()) /
                      ("curl_http_client-" + std::to_string(getpid()) + ".sock");
  std::filesystem::remove(socket);
  ScriptedHttpServer server(socket, hello);
  const CurlHttpClient client({.unix_socket = socket});
  const std::string body(100000, 'x');
  const auto response =
      client.send({.url = server.url() + "/containers", .method = "POST", .body = body}, {});
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(server.request(), HasSubstr("POST /containers HTTP/1.1"));
  EXPECT_THAT(server.request(), HasSubstr("Content-Type: application/json"));
  EXPECT_THAT(server.request(), HasSubstr(body));
}

TEST(CurlHttpClientTest, SendsHeadersAndTheTypeOfTheBody) {
  ScriptedHttpServer server(hello);
  const CurlHttpClient client({});
  const auto response = client.send({.url = server.url(),
                                     .method = "PUT",
                                     .body = "a 1\n",
                                     .content_type = "text/plain",
                                     .headers = {"X-One: 1", "X-Two: 2"}},
                                    {});
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(server.request(), HasSubstr("PUT / HTTP/1.1"));
  EXPECT_THAT(server.request(), testing::EndsWith("\r\n\r\na 1\n"));
  EXPECT_THAT(server.request(), HasSubstr("Content-Type: text/plain\r\n"));
  EXPECT_THAT(server.request(), HasSubstr("X-One: 1\r\nX-Two: 2\r\n"));
}

TEST(CurlHttpClientTest, SendsTheMethodOfTheRequest) {
  ScriptedHttpServer server("HTTP/1.1 204 No Content\r\n\r\n");
  const CurlHttpClient client({});
  EXPECT_EQ(client.send({.url = server.url() + "/one", .method = "DELETE"}, {}).status, 204);
  EXPECT_THAT(server.request(), HasSubstr("DELETE /one HTTP/1.1"));
}

TEST(CurlHttpClientTest, MissingSocketIsReportedWithTheReasonOfTheSystem) {
  const CurlHttpClient client({.unix_socket = "/nonexistent/engine.sock"});
  const auto [kind, message] = error_of([&] { (void)client.send({.url = "http://engine"}, {}); });
  EXPECT_EQ(kind, ErrorKind::environment);
  EXPECT_EQ(message, "No such file or directory");
}

TEST(CurlHttpClientTest, RefusesABodyThatIsTooLong) {
  const ScriptedHttpServer server(hello);
  const CurlHttpClient client({.longest_body = Bytes{4}});
  const auto [kind, message] = error_of([&] { (void)client.send({.url = server.url()}, {}); });
  EXPECT_EQ(kind, ErrorKind::environment);
  EXPECT_THAT(message, HasSubstr("the response is longer than 4"));
}

TEST(CurlHttpClientTest, IncompleteBodyIsAnError) {
  const ScriptedHttpServer server(truncated);
  const CurlHttpClient client({});
  EXPECT_EQ(error_of([&] { (void)client.send({.url = server.url()}, {}); }).first,
            ErrorKind::environment);
}

TEST(CurlHttpClientTest, TimeoutEndsTheWaitForASilentServer) {
  const ScriptedHttpServer server("", ScriptedHttpServer::After::keep_silent);
  const CurlHttpClient client({});
  const auto [kind, message] =
      error_of([&] { (void)client.send({.url = server.url(), .timeout = 50ms}, {}); });
  EXPECT_EQ(kind, ErrorKind::environment);
  EXPECT_THAT(message, HasSubstr("timed out"));
}

TEST(CurlHttpClientTest, StopRequestEndsTheWaitForASilentServer) {
  const ScriptedHttpServer server("", ScriptedHttpServer::After::keep_silent);
  const CurlHttpClient client({});
  std::stop_source source;
  const std::jthread asker([&] {
    std::this_thread::sleep_for(20ms);
    source.request_stop();
  });
  const auto kind = error_of([&] {
                      (void)client.send({.url = server.url(), .timeout = 1min}, source.get_token());
                    }).first;
  EXPECT_EQ(kind, ErrorKind::interrupted);
}

TEST(CurlHttpClientTest, StreamPassesTheBodyOnWithoutALimit) {
  const ScriptedHttpServer server(hello);
  const CurlHttpClient client({.longest_body = Bytes{1}});
  std::string streamed;
  const auto response =
      client.stream({.url = server.url()}, [&](std::string_view piece) { streamed += piece; }, {});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(streamed, "hello");
}

TEST(CurlHttpClientTest, StreamReturnsTheBodyOfAnErrorResponse) {
  const ScriptedHttpServer server(missing);
  const CurlHttpClient client({});
  const auto response = client.stream(
      {.url = server.url()}, [](std::string_view) { FAIL() << "this is not the stream"; }, {});
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, "none");
}

TEST(CurlHttpClientTest, StreamThatBreaksOffReturnsWhatHasArrived) {
  const ScriptedHttpServer server(truncated);
  const CurlHttpClient client({});
  std::string streamed;
  const auto response =
      client.stream({.url = server.url()}, [&](std::string_view piece) { streamed += piece; }, {});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(streamed, "hello");
}

TEST(CurlHttpClientTest, StopRequestEndsAStream) {
  const ScriptedHttpServer server(truncated, ScriptedHttpServer::After::keep_silent);
  const CurlHttpClient client({});
  std::stop_source source;
  const auto response = client.stream(
      {.url = server.url(), .timeout = 1min}, [&](std::string_view) { source.request_stop(); },
      source.get_token());
  EXPECT_EQ(response.status, 200);
}

TEST(CurlHttpClientTest, ErrorOfTheStreamsConsumerIsPassedOn) {
  const ScriptedHttpServer server(hello);
  const CurlHttpClient client({});
  const auto kind =
      error_of([&] {
        (void)client.stream({.url = server.url()},
                            [](std::string_view) { throw Error(ErrorKind::restore, "full"); }, {});
      }).first;
  EXPECT_EQ(kind, ErrorKind::restore);
}

}  // namespace
}  // namespace pgrehearse
