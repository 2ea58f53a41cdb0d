// The web pages and the JSON API of `serve`.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "harness/history/ledger.hpp"
#include "harness/serve/drill_control.hpp"
#include "harness/serve/web/bounded_server.hpp"
#include "harness/serve/web/drill_files.hpp"
#include "harness/serve/web/fleet_cache.hpp"
#include "harness/serve/web/map_source.hpp"
#include "harness/serve/web/refusal_log.hpp"
#include "harness/serve/web/web_access.hpp"

namespace pgrehearse {

class WebSite {
 public:
  // All outlive the site.
  struct Parts {
    std::filesystem::path state;
    std::function<std::unique_ptr<Ledger>()> open_ledger;
    DrillControl* control = nullptr;  // nullptr: nothing can be started
    MapSource& maps;
    std::function<std::string(Ledger&)> metrics;  // text of /metrics
    std::function<Instant()> now;
  };
  struct Options {
    std::string address = "127.0.0.1";
    int port = 8417;  // 0: any
    AccessRules access;
    ServerLimits limits;
  };
  WebSite(Parts parts, Options options);
  ~WebSite();
  WebSite(const WebSite&) = delete;
  WebSite& operator=(const WebSite&) = delete;

  // Serves in threads of its own; returns the port. Throws Error(environment) if the address cannot
  // be used.
  int start();

 private:
  using Request = httplib::Request;
  using Response = httplib::Response;

  void guard_requests();
  void add_pages();
  void add_drill_pages();
  void add_api();
  void add_drill_api();
  void add_changes();
  void add_session_api();
  [[nodiscard]] bool admit(const Request& request, Response& response);
  void refuse(const Request& request, Response& response, int status, const std::string& reason);
  void send_report(const LedgerRow* row, const Report& report, Response& response);
  void send_events(const std::filesystem::path& directory, Response& response);
  [[nodiscard]] std::optional<LedgerRow> row_of(const std::string& id);
  // Whether the scheduler has just started it: it may not be in the ledger yet.
  [[nodiscard]] bool is_started(const std::string& id) const;
  [[nodiscard]] std::optional<std::filesystem::path> directory_of(const std::string& id);
  [[nodiscard]] std::string session_json(const Request& request) const;

  Parts parts_;
  Options options_;
  WebSessions sessions_;
  RefusalLog refusals_;
  DrillFiles files_;
  FleetCache fleet_;
  BoundedServer server_;
  std::stop_source stopping_;
  std::atomic<std::size_t> streams_{0};
  std::thread thread_;
};

}  // namespace pgrehearse
