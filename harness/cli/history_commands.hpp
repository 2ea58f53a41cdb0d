// The subcommands of `history`.
#pragma once

#include "harness/cli/command_table.hpp"
#include "harness/cli/history_options.hpp"

namespace pgrehearse {

// Each adds its options to `command`. `common` and `settings` outlive the action.
CommandAction configure_history_trends(CLI::App& command, const CommonOptions& common,
                                       const HistorySettings& settings);
CommandAction configure_history_coverage(CLI::App& command, const CommonOptions& common,
                                         const HistorySettings& settings);
CommandAction configure_history_verify(CLI::App& command, const CommonOptions& common,
                                       const HistorySettings& settings);
CommandAction configure_history_prune(CLI::App& command, const CommonOptions& common,
                                      const HistorySettings& settings);
CommandAction configure_history_import(CLI::App& command, const CommonOptions& common,
                                       const HistorySettings& settings);
CommandAction configure_history_export(CLI::App& command, const CommonOptions& common,
                                       const HistorySettings& settings);

}  // namespace pgrehearse
