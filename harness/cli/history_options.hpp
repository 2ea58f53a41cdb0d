// Options that `history` and its subcommands share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/cli/command_table.hpp"
#include "harness/history/ledger.hpp"
#include "harness/postgres/connection_parameters.hpp"
#include "harness/report/report.hpp"
#include "harness/reporting/reporter.hpp"

namespace CLI {
class App;
}

namespace pgrehearse {

struct FilterOptions {
  std::string scenario;
  std::string stanza;
  std::string verdict;
  std::string since;
  std::string until;
  std::string host;
};
void add_filter_options(CLI::App& command, FilterOptions& options);
// Throws Error(usage) for a verdict or a time that is invalid.
LedgerFilter filter_of(const FilterOptions& options, Instant now);

void add_ledger_option(CLI::App& command, std::string& dsn);
// The parameters of a ledger in PostgreSQL: `dsn` unless it is empty, else $PGREHEARSE_LEDGER.
// nullopt: the ledger of the state directory. Throws Error(usage) for a password in `dsn`, which
// other accounts could read in the list of processes.
std::optional<ConnectionParameters> stated_ledger(const std::string& dsn);

// Settings of `history`, which its subcommands use, too.
struct HistorySettings {
  std::string dsn;     // --ledger
  std::string format;  // --format; empty: the common one
};
// "text", "json" or "csv".
std::string format_of(const HistorySettings& settings, const CommonOptions& common);
// nullopt if there is no ledger yet: the state directory has none.
std::optional<Ledger> open_existing_ledger(const HistorySettings& settings,
                                           const CommonOptions& common,
                                           const std::stop_token& stop);
// For the trends of a report that is written after its drill: those in the ledger of the
// environment or of the state directory. Without that ledger, or if it cannot be read, none, with a
// warning: a report without trends is better than no report.
std::vector<PastDrill> drills_before(const Report& report, const CommonOptions& common,
                                     const std::stop_token& stop);

}  // namespace pgrehearse
