// One function per command: it adds the command's own options and returns its action. Each is
// defined in <name>_command.cpp; command_table.cpp lists all of them.
#pragma once

#include "harness/cli/command_table.hpp"

namespace pgrehearse {

CommandAction configure_run(CLI::App& command, const CommonOptions& common);
CommandAction configure_plan(CLI::App& command, const CommonOptions& common);
CommandAction configure_map(CLI::App& command, const CommonOptions& common);
CommandAction configure_recover(CLI::App& command, const CommonOptions& common);
CommandAction configure_locate(CLI::App& command, const CommonOptions& common);
CommandAction configure_copies(CLI::App& command, const CommonOptions& common);
CommandAction configure_init(CLI::App& command, const CommonOptions& common);
CommandAction configure_doctor(CLI::App& command, const CommonOptions& common);
CommandAction configure_demo(CLI::App& command, const CommonOptions& common);
CommandAction configure_fingerprint(CLI::App& command, const CommonOptions& common);
CommandAction configure_metrics(CLI::App& command, const CommonOptions& common);
CommandAction configure_notify(CLI::App& command, const CommonOptions& common);
CommandAction configure_prove(CLI::App& command, const CommonOptions& common);
CommandAction configure_serve(CLI::App& command, const CommonOptions& common);
CommandAction configure_report(CLI::App& command, const CommonOptions& common);
CommandAction configure_history(CLI::App& command, const CommonOptions& common);
CommandAction configure_clean(CLI::App& command, const CommonOptions& common);
CommandAction configure_checks(CLI::App& command, const CommonOptions& common);
CommandAction configure_schema(CLI::App& command, const CommonOptions& common);
CommandAction configure_completion(CLI::App& command, const CommonOptions& common);
CommandAction configure_web(CLI::App& command, const CommonOptions& common);
CommandAction configure_version(CLI::App& command, const CommonOptions& common);
CommandAction configure_help(CLI::App& command, const CommonOptions& common);

}  // namespace pgrehearse
