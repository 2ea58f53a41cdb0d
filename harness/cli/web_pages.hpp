// The web pages as a part of `serve`, and on their own with the command `web`.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/cli/command_table.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/serve/drill_control.hpp"
#include "harness/serve/metrics/metrics_collector.hpp"
#include "harness/serve/web/map_source.hpp"
#include "harness/serve/web/web_site.hpp"

namespace pgrehearse {

struct WebArguments {
  std::string listen;                // empty: 127.0.0.1:8417; "off": no pages
  std::filesystem::path token_file;  // empty: <state>/serve/token, created if it does not exist
  bool read_only = false;
  std::string user_header;
  std::vector<std::string> host_names;
};

// --listen, --token-file, --read-only, --user-header and --host-name.
void add_web_options(CLI::App& command, WebArguments& arguments);

// Serves until it is destroyed.
class WebPages {
 public:
  struct Parts {
    std::optional<ConnectionParameters> ledger;  // nullopt: that of the state directory
    std::stop_token stop;                        // of its queries
    DrillControl* control = nullptr;             // nullptr: nothing can be started
  };
  // Prints where the pages and the token are. Throws Error(usage), and Error(environment) if the
  // address cannot be used.
  WebPages(const WebArguments& arguments, const CommonOptions& common, Parts parts);

 private:
  std::unique_ptr<CommandRunner> runner_;
  DrillControl* control_;
  std::unique_ptr<MapSource> maps_;
  MetricsCollector metrics_;
  std::unique_ptr<WebSite> site_;  // nullptr: --listen off
};

}  // namespace pgrehearse
