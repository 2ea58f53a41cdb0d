#include "harness/cli/history_options.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "harness/cli/options.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/error.hpp"
#include "harness/history/past_drills.hpp"

namespace pgrehearse {

namespace {

std::optional<std::string> unless_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

// "30d", "2026-11-20", "2026-11-20 03:00:00+00"
std::optional<Instant> time_of(const std::string& option, const std::string& text, Instant now) {
  if (text.empty()) return {};
  if (const auto age = parse_duration(text)) return now - *age;
  if (const auto instant = parse_instant(text)) return instant;
  if (const auto day = parse_instant(text + " 00:00:00+00")) return day;
  throw Error(
      ErrorKind::usage, fmt::format("{} '{}' is not a time", option, text),
      fmt::format("for example {0} 30d, {0} 2026-11-20 or {0} '2026-11-20 03:00:00+00'", option));
}

}  // namespace

void add_filter_options(CLI::App& command, FilterOptions& options) {
  command.add_option("--scenario", options.scenario, "only drills of this scenario")
      ->type_name("NAME");
  command.add_option("--stanza", options.stanza, "only drills of this stanza")->type_name("NAME");
  command
      .add_option("--verdict", options.verdict,
                  "only drills with this verdict: pass, fail, unknown")
      ->type_name("VERDICT")
      ->check(one_of({"pass", "fail", "unknown"}));
  command
      .add_option("--since", options.since,
                  "only drills that started at this time or later; or an age, for example 30d")
      ->type_name("TIME");
  command.add_option("--until", options.until, "only drills that started before this time")
      ->type_name("TIME");
  command.add_option("--host", options.host, "only drills of this host")->type_name("NAME");
}

LedgerFilter filter_of(const FilterOptions& options, Instant now) {
  LedgerFilter filter{.scenario = unless_empty(options.scenario),
                      .stanza = unless_empty(options.stanza),
                      .host = unless_empty(options.host),
                      .since = time_of("--since", options.since, now),
                      .until = time_of("--until", options.until, now)};
  if (!options.verdict.empty()) filter.verdict = parse_verdict(options.verdict);
  return filter;
}

void add_ledger_option(CLI::App& command, std::string& dsn) {
  command
      .add_option("--ledger", dsn,
                  "libpq connection string of a ledger in PostgreSQL, without password "
                  "[$PGREHEARSE_LEDGER, else the ledger of the state directory]")
      ->type_name("DSN");
}

std::optional<ConnectionParameters> stated_ledger(const std::string& dsn) {
  if (!dsn.empty()) {
    auto parameters = parse_dsn(dsn);
    if (!parameters.contains("password")) return parameters;
    throw Error(ErrorKind::usage, "--ledger does not accept a password",
                "other accounts can read command lines; use ~/.pgpass, or the environment variable "
                "PGREHEARSE_LEDGER");
  }
  const char* variable = std::getenv("PGREHEARSE_LEDGER");
  if (variable == nullptr || *variable == '\0') return {};
  return parse_dsn(variable);
}

std::string format_of(const HistorySettings& settings, const CommonOptions& common) {
  return settings.format.empty() ? common.format : settings.format;
}

std::optional<Ledger> open_existing_ledger(const HistorySettings& settings,
                                           const CommonOptions& common,
                                           const std::stop_token& stop) {
  const auto parameters = stated_ledger(settings.dsn);
  if (!parameters && !has_ledger(common.state)) return {};
  return open_ledger(parameters, common.state, stop);
}

std::vector<PastDrill> drills_before(const Report& report, const CommonOptions& common,
                                     const std::stop_token& stop) {
  try {
    auto ledger = open_existing_ledger({}, common, stop);
    if (!ledger) return {};
    return past_drills(*ledger, report.scenario.name, report.started);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    spdlog::warn("the report has no trends: {}", error.what());
    return {};
  }
}

}  // namespace pgrehearse
