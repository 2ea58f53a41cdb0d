#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "harness/cli/commands.hpp"
#include "harness/cli/history_options.hpp"
#include "harness/cli/web_pages.hpp"
#include "harness/common/poll_until.hpp"

namespace pgrehearse {

CommandAction configure_web(CLI::App& command, const CommonOptions& common) {
  auto arguments = std::make_shared<WebArguments>();
  add_web_options(command, *arguments);
  auto ledger = std::make_shared<std::string>();
  add_ledger_option(command, *ledger);
  return [arguments, ledger, &common](const std::stop_token& stop) {
    if (common.log_level == "warn" && !common.quiet) spdlog::set_level(spdlog::level::info);
    const WebPages pages(*arguments, common, {.ledger = stated_ledger(*ledger), .stop = stop});
    while (wait_for(std::chrono::hours(1), stop)) continue;
    return ExitCode::pass;
  };
}

}  // namespace pgrehearse
