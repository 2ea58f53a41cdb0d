// The JSON API of the web site: reading, and starting and stopping drills.
#include <fmt/format.h>

#include <algorithm>

#include "harness/common/error.hpp"
#include "harness/common/poll_until.hpp"
#include "harness/common/text.hpp"
#include "harness/serve/web/drill_json.hpp"
#include "harness/serve/web/web_json.hpp"
#include "harness/serve/web/web_replies.hpp"
#include "harness/serve/web/web_site.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_drills = 1000;
constexpr std::size_t most_streams = 8;
constexpr std::chrono::minutes longest_stream{10};

Instant instant_of(const std::string& name, const std::string& text) {
  if (const auto instant = parse_instant(text)) return *instant;
  throw Error(ErrorKind::usage, fmt::format("{} '{}' is not a time", name, text.substr(0, 40)),
              "for example 2026-11-20T03:00:00Z");
}

LedgerFilter filter_of(const httplib::Request& request) {
  LedgerFilter filter{.limit = 100};
  const auto given = [&](const char* name) -> std::optional<std::string> {
    if (!request.has_param(name) || request.get_param_value(name).empty()) return {};
    return request.get_param_value(name);
  };
  filter.scenario = given("scenario");
  filter.stanza = given("stanza");
  if (const auto text = given("since")) filter.since = instant_of("since", *text);
  if (const auto text = given("until")) filter.until = instant_of("until", *text);
  if (const auto text = given("verdict")) {
    filter.verdict = parse_verdict(*text);
    if (!filter.verdict) {
      throw Error(ErrorKind::usage, "verdict must be pass, fail or unknown", "");
    }
  }
  if (const auto text = given("limit")) {
    filter.limit = std::clamp<std::size_t>(number_of<std::size_t>(*text), 1, most_drills);
  }
  return filter;
}

std::string text_member(const httplib::Request& request, const char* name) {
  const auto json = Json::parse(request.body, nullptr, false);
  if (!json.is_object() || !json.contains(name) || !json[name].is_string()) {
    throw Error(ErrorKind::usage, fmt::format("the request has no text '{}'", name),
                fmt::format("send {{\"{}\": \"...\"}}", name));
  }
  return json[name].get<std::string>();
}

}  // namespace

void WebSite::add_api() {
  server_.Get("/api/v1/fleet", [this](const Request&, Response& response) {
    response.set_header("Cache-Control", "no-store");
    response.set_content(fleet_.fleet(), "application/json");
  });
  server_.Get("/api/v1/stanzas/([^/]+)", [this](const Request& request, Response& response) {
    const auto json = fleet_.stanza(request.matches[1]);
    if (!json) return send_error(response, 404, "there is no such stanza", "");
    response.set_content(*json, "application/json");
  });
  server_.Get("/api/v1/drills", [this](const Request& request, Response& response) {
    const auto filter = filter_of(request);
    const auto rows = fleet_.with_ledger([&](Ledger& ledger) { return ledger.list(filter); });
    auto drills = Json::array();
    for (const auto& row : rows) drills.push_back(drill_json(row));
    send_json(response, {{"drills", drills}, {"limit", filter.limit}});
  });
  const auto map = [this](const char* pattern, auto get, const char* type) {
    server_.Get(pattern, [this, get, type](const Request& request, Response& response) {
      response.set_content((parts_.maps.*get)(request.matches[1], stopping_.get_token()), type);
    });
  };
  map("/api/v1/scenarios/([^/]+)/map", &MapSource::map, "application/json");
  map("/api/v1/scenarios/([^/]+)/map\\.svg", &MapSource::picture, "image/svg+xml");
  server_.Get("/api/v1/scenarios/([^/]+)/recoverable",
              [this](const Request& request, Response& response) {
                const auto at = request.get_param_value("at");
                instant_of("at", at);
                response.set_content(parts_.maps.at(request.matches[1], at, stopping_.get_token()),
                                     "application/json");
              });
}

void WebSite::add_drill_api() {
  server_.Get("/api/v1/drills/([^/]+)", [this](const Request& request, Response& response) {
    const std::string id = request.matches[1];
    const auto row = row_of(id);
    const auto directory = files_.directory(id, row ? row->scenario : "");
    auto live = directory ? live_state(*directory) : Json();
    const bool starting = live.is_null() && is_started(id);
    if (!row && !directory && !starting) {
      return send_error(response, 404, "there is no such drill", "");
    }
    Json json = row ? drill_json(*row) : Json{{"id", id}};
    if (starting) json["state"] = "starting";
    json["live"] = std::move(live);
    send_json(response, json);
  });
  server_.Get("/api/v1/drills/([^/]+)/events", [this](const Request& request, Response& response) {
    const auto directory = directory_of(request.matches[1]);
    if (!directory) {
      return send_error(response, 404, "no such drill runs on this host", "");
    }
    send_events(*directory, response);
  });
}

// Server-sent events: "progress" when something has changed, "end" with the verdict.
void WebSite::send_events(const std::filesystem::path& directory, Response& response) {
  if (++streams_ > most_streams) {
    --streams_;
    response.set_header("Retry-After", "5");
    return send_error(response, 503, "too many pages follow drills", "reload the page later");
  }
  struct Stream {
    std::string sent;
    std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point last = began;
  };
  response.set_header("Cache-Control", "no-store");
  response.set_chunked_content_provider(
      "text/event-stream",
      [this, directory, stream = Stream{}](std::size_t, httplib::DataSink& sink) mutable {
        const auto now = std::chrono::steady_clock::now();
        const auto state = live_state(directory);
        const bool over = state.is_object() && !state["finished"].is_null();
        const auto text = text_of(state);
        std::string message;
        if (text != stream.sent) {
          message = fmt::format("event: {}\ndata: {}\n\n", over ? "end" : "progress", text);
        } else if (now - stream.last > std::chrono::seconds(5)) {
          message = ": still running\n\n";
        }
        if (!message.empty()) {
          if (!sink.write(message.data(), message.size())) return false;
          stream.sent = text;
          stream.last = now;
        }
        const auto stop = stopping_.get_token();
        if (over || stop.stop_requested() || now - stream.began > longest_stream) {
          sink.done();
          return true;
        }
        wait_for(std::chrono::milliseconds(500), stop);
        return true;
      },
      [this](bool) { --streams_; });
}

void WebSite::add_changes() {
  const auto require_control = [this] {
    if (parts_.control != nullptr) return;
    throw Error(ErrorKind::usage, "this server schedules no drills",
                "start pgrehearse serve with a directory of scenarios");
  };
  server_.Post(
      "/api/v1/drills", [this, require_control](const Request& request, Response& response) {
        require_control();
        const auto decision =
            decide_access(options_.access, sessions_, access_request(options_.access, request));
        const auto started =
            parts_.control->start(text_member(request, "scenario"), decision.operator_name);
        send_json(response, {{"id", started.run_id}}, 202);
      });
  server_.Post("/api/v1/drills/([^/]+)/stop",
               [this, require_control](const Request& request, Response& response) {
                 require_control();
                 const std::string id = request.matches[1];
                 if (!is_run_id(id)) return send_error(response, 404, "there is no such drill", "");
                 parts_.control->stop(id);
                 send_json(response, {{"id", id}}, 202);
               });
}

std::string WebSite::session_json(const Request& request) const {
  const auto access = access_request(options_.access, request);
  auto change = access;
  change.method = "POST";
  change.path = "/api/v1/drills";
  change.content_type = "application/json";
  change.fetch_site = "same-origin";
  change.origin.clear();
  const auto decision = decide_access(options_.access, sessions_, change);
  return text_of({{"can_start", parts_.control != nullptr && decision.status == 200},
                  {"read_only", options_.access.read_only || parts_.control == nullptr},
                  {"user", decision.operator_name}});
}

void WebSite::add_session_api() {
  server_.Get("/api/v1/session", [this](const Request& request, Response& response) {
    response.set_content(session_json(request), "application/json");
  });
  server_.Post("/api/v1/session", [this](const Request& request, Response& response) {
    if (request.get_header_value("Content-Type").substr(0, 16) != "application/json") {
      return refuse(request, response, 415, "the request is not application/json");
    }
    const auto token = text_member(request, "token");
    if (options_.access.token.empty() || !is_same_secret(token, options_.access.token)) {
      return refuse(request, response, 401, "wrong token");
    }
    const bool secure = request.get_header_value("X-Forwarded-Proto") == "https";
    response.set_header("Set-Cookie", session_cookie(sessions_.create(), secure));
    send_json(response, {{"status", "ok"}});
  });
  server_.Delete("/api/v1/session", [this](const Request& request, Response& response) {
    sessions_.remove(session_of_cookie(request.get_header_value("Cookie")));
    response.set_header("Set-Cookie", session_cookie("", false));
    send_json(response, {{"status", "ok"}});
  });
}

}  // namespace pgrehearse
