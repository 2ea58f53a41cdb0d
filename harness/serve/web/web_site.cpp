#include "harness/serve/web/web_site.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <kainjow/mustache.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/common/error.hpp"
#include "harness/history/past_drills.hpp"
#include "harness/reporting/html/templates.hpp"
#include "harness/serve/web/assets.hpp"
#include "harness/serve/web/web_replies.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t longest_path = 512;

std::string page_of(const std::string& name, const std::string& title, std::string_view content) {
  kainjow::mustache::data page;
  page.set("page", name);
  page.set("title", title);
  page.set("content", std::string(content));
  return kainjow::mustache::mustache(std::string(embedded::layout_mustache)).render(page);
}

}  // namespace

WebSite::WebSite(Parts parts, Options options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      sessions_(parts_.now),
      files_(parts_.state),
      fleet_({.open_ledger = parts_.open_ledger,
              .control = parts_.control,
              .maps = parts_.maps,
              .now = parts_.now}),
      server_(options_.limits, [this](const std::string& reason, const std::string& remote) {
        refusals_.add(reason, remote, "");
      }) {
  guard_requests();
  add_pages();
  add_drill_pages();
  add_api();
  add_drill_api();
  add_changes();
  add_session_api();
}

WebSite::~WebSite() {
  stopping_.request_stop();
  server_.close();
  if (thread_.joinable()) thread_.join();
}

int WebSite::start() {
  const int port =
      options_.port == 0
          ? server_.bind_to_any_port(options_.address)
          : (server_.bind_to_port(options_.address, options_.port) ? options_.port : -1);
  if (port < 0) {
    throw Error(ErrorKind::environment,
                fmt::format("cannot listen on {}:{}", options_.address, options_.port),
                "another program may use the port; choose another one with --listen");
  }
  thread_ = std::thread([this] { server_.listen_after_bind(); });
  return port;
}

void WebSite::guard_requests() {
  server_.set_default_headers(security_headers());
  server_.set_pre_routing_handler([this](const Request& request, Response& response) {
    return admit(request, response) ? httplib::Server::HandlerResponse::Unhandled
                                    : httplib::Server::HandlerResponse::Handled;
  });
  server_.set_exception_handler(
      [this](const Request& request, Response& response, const std::exception_ptr& failure) {
        try {
          std::rethrow_exception(failure);
        } catch (const Error& error) {
          const int status = error.kind() == ErrorKind::usage ? 400 : 503;
          refuse(request, response, status, error.what());
          send_error(response, status, error.what(), error.hint());
        } catch (const std::exception& error) {
          refuse(request, response, 500, error.what());
        }
      });
  // Replies without a body are those of the library: no such page, or a malformed request.
  server_.set_error_handler([this](const Request& request, Response& response) {
    if (!response.body.empty() || response.status == 204) return;
    if (response.status == 404) {
      send_error(response, 404, "there is no such page", "the fleet is at /");
      return;
    }
    refuse(request, response, response.status,
           response.status == 413 ? "the request is too large" : "the request is malformed");
  });
}

bool WebSite::admit(const Request& request, Response& response) {
  if (request.path.size() > longest_path) {
    refuse(request, response, 414, "the path is too long");
    return false;
  }
  // A small compressed body could become a large one.
  if (request.has_header("Content-Encoding")) {
    refuse(request, response, 415, "compressed requests are not accepted");
    return false;
  }
  // Without a length, the body is only bounded by the size of a whole request.
  if (request.has_header("Transfer-Encoding")) {
    refuse(request, response, 411, "the request has no Content-Length");
    return false;
  }
  const auto decision =
      decide_access(options_.access, sessions_, access_request(options_.access, request));
  if (decision.status == 200) return true;
  const bool page = request.method == "GET" && !request.path.starts_with("/api/") &&
                    request.path != "/metrics" && !request.has_header("Authorization");
  if (decision.status == 401 && page) {
    response.set_redirect("/login");
    return false;
  }
  refuse(request, response, decision.status, decision.reason);
  return false;
}

void WebSite::refuse(const Request& request, Response& response, int status,
                     const std::string& reason) {
  // The body of the request may not have been read.
  BoundedServer::close_after_response();
  refusals_.add(reason, request.remote_addr, request.method + " " + request.path);
  if (status == 401) response.set_header("WWW-Authenticate", "Bearer");
  send_error(response, status, reason, "");
}

void WebSite::add_pages() {
  const auto page = [this](const char* pattern, std::string html) {
    server_.Get(pattern, [html = std::move(html)](const Request&, Response& response) {
      response.set_content(html, "text/html; charset=utf-8");
    });
  };
  page("/", page_of("fleet", "Stanzas", embedded::fleet_html));
  page("/stanzas/([^/]+)", page_of("stanza", "Stanza", embedded::stanza_html));
  page("/evidence", page_of("evidence", "Evidence", embedded::evidence_html));
  page("/login", page_of("login", "Sign in", embedded::login_html));
  const auto asset = [this](const char* path, std::string text, const char* type) {
    server_.Get(path, [text = std::move(text), type](const Request&, Response& response) {
      response.set_header("Cache-Control", "max-age=300");
      response.set_content(text, type);
    });
  };
  asset("/assets/site\\.css", std::string(embedded::site_css), "text/css");
  asset("/assets/site\\.js", std::string(embedded::site_js), "text/javascript");
  asset("/assets/report\\.css",
        std::string(embedded::report_css) + std::string(embedded::drawing_css), "text/css");
  asset("/assets/report\\.js", std::string(embedded::report_js), "text/javascript");
  asset("/api/openapi\\.json", std::string(embedded::openapi_json), "application/json");
  server_.Get("/healthz", [this](const Request&, Response& response) {
    send_json(response, {{"status", "ok"}, {"at", to_iso8601(parts_.now())}});
  });
  server_.Get("/metrics", [this](const Request&, Response& response) {
    response.set_content(fleet_.with_ledger(parts_.metrics), "text/plain; version=0.0.4");
  });
}

std::optional<LedgerRow> WebSite::row_of(const std::string& id) {
  if (!is_run_id(id)) return {};
  return fleet_.with_ledger([&](Ledger& ledger) { return ledger.find(id); });
}

bool WebSite::is_started(const std::string& id) const {
  if (parts_.control == nullptr) return false;
  const auto snapshot = parts_.control->snapshot();
  return std::ranges::any_of(snapshot.scenarios, [&](const ScheduledScenario& scenario) {
    return scenario.running && scenario.running->run_id == id;
  });
}

std::optional<std::filesystem::path> WebSite::directory_of(const std::string& id) {
  const auto row = row_of(id);
  return files_.directory(id, row ? row->scenario : "");
}

void WebSite::add_drill_pages() {
  // The report of a drill that has ended; the page of a running one follows it.
  const auto live = page_of("drill", "Drill", embedded::drill_html);
  server_.Get("/drills/([^/]+)", [this, live](const Request& request, Response& response) {
    const std::string id = request.matches[1];
    const auto row = row_of(id);
    const auto directory = files_.directory(id, row ? row->scenario : "");
    if (!row && !directory && !is_started(id)) {
      return send_error(response, 404, "there is no such drill", "");
    }
    const auto report = directory ? DrillFiles::record(*directory) : std::nullopt;
    if (report && report->finished) {
      return send_report(row ? &*row : nullptr, *report, response);
    }
    response.set_content(live, "text/html; charset=utf-8");
  });
  server_.Get("/drills/([^/]+)/files/([^/]+)", [this](const Request& request, Response& response) {
    const auto directory = directory_of(request.matches[1]);
    const auto file =
        directory ? DrillFiles::download(*directory, request.matches[2]) : std::nullopt;
    if (!file) return send_error(response, 404, "there is no such file", "");
    std::ifstream stream(*file, std::ios::binary);
    response.set_header("Content-Disposition", fmt::format("attachment; filename=\"{}-{}\"",
                                                           std::string(request.matches[1]),
                                                           std::string(request.matches[2])));
    response.set_content(std::string(std::istreambuf_iterator<char>(stream), {}),
                         "application/octet-stream");
  });
}

void WebSite::send_report(const LedgerRow* row, const Report& report, Response& response) {
  RenderOptions options{.linked_assets = true};
  if (row != nullptr) {
    options.past = fleet_.with_ledger(
        [&](Ledger& ledger) { return past_drills(ledger, row->scenario, row->started); });
  }
  std::ostringstream page;
  find_reporter("html").write(report, options, page);
  response.set_content(page.str(), "text/html; charset=utf-8");
}

}  // namespace pgrehearse
