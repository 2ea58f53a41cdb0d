// `history trends` and `history coverage`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/cli/history_commands.hpp"
#include "harness/history/ledger_csv.hpp"
#include "harness/reporting/phrases.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

std::string seconds_text(const std::optional<std::chrono::milliseconds>& span) {
  return span ? duration_in_words(Seconds(*span).count()) : "-";
}

std::string size_text(std::optional<double> bytes) {
  return bytes ? to_text(Bytes{static_cast<std::uint64_t>(*bytes)}) : "-";
}

std::string rate_text(std::optional<double> rate) { return rate ? size_text(rate) + "/s" : "-"; }

std::optional<double> as_number(const std::optional<std::uint64_t>& number) {
  if (!number) return {};
  return static_cast<double>(*number);
}

template <class T>
Json json_or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json seconds_or_null(const std::optional<std::chrono::milliseconds>& span) {
  return span ? Json(Seconds(*span).count()) : Json();
}

void print_trend_json(const std::vector<TrendPoint>& points) {
  Json list = Json::array();
  for (const auto& point : points) {
    list.push_back({{"id", point.id},
                    {"scenario", point.scenario},
                    {"stanza", point.stanza},
                    {"started", to_iso8601(point.started)},
                    {"verdict", name_of(point.verdict)},
                    {"rto_seconds", seconds_or_null(point.rto)},
                    {"rpo_seconds", seconds_or_null(point.rpo)},
                    {"restore_bytes_per_second", json_or_null(point.restore_rate)},
                    {"replay_bytes_per_second", json_or_null(point.replay_rate)},
                    {"backup_bytes", json_or_null(point.backup_bytes)}});
  }
  std::cout << list.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

void print_trend_csv(const std::vector<TrendPoint>& points) {
  const auto number = [](const auto& value) { return value ? fmt::format("{}", *value) : ""; };
  const auto seconds = [](const auto& span) {
    return span ? fmt::format("{}", Seconds(*span).count()) : "";
  };
  std::cout << "id,scenario,stanza,started,verdict,rto_seconds,rpo_seconds,"
               "restore_bytes_per_second,replay_bytes_per_second,backup_bytes\n";
  for (const auto& point : points) {
    std::cout << fmt::format("{},{},{},{},{},{},{},{},{},{}\n", csv_field(point.id),
                             csv_field(point.scenario), csv_field(point.stanza),
                             to_iso8601(point.started), name_of(point.verdict), seconds(point.rto),
                             seconds(point.rpo), number(point.restore_rate),
                             number(point.replay_rate), number(point.backup_bytes));
  }
}

void print_trend_table(const std::vector<TrendPoint>& points) {
  std::size_t width = 8;
  for (const auto& point : points) {
    width = std::max(width, columns_of(printable(point.scenario)));
  }
  std::cout << fmt::format("{:<19}  {}  {:<7}  {:>10}  {:>10}  {:>12}  {:>12}  {:>10}\n",
                           "STARTED (UTC)", pad_right("SCENARIO", width), "VERDICT", "RTO", "RPO",
                           "RESTORE", "REPLAY", "SIZE");
  for (const auto& point : points) {
    std::cout << fmt::format("{:<19}  {}  {:<7}  {:>10}  {:>10}  {:>12}  {:>12}  {:>10}\n",
                             time_in_words(point.started).substr(0, 19),
                             pad_right(printable(point.scenario), width), name_of(point.verdict),
                             seconds_text(point.rto), seconds_text(point.rpo),
                             rate_text(point.restore_rate), rate_text(point.replay_rate),
                             size_text(as_number(point.backup_bytes)));
  }
}

void print_coverage_json(const std::vector<StanzaCoverage>& all) {
  Json list = Json::array();
  for (const auto& coverage : all) {
    Json backups = Json::array();
    for (const auto& backup : coverage.backups) {
      backups.push_back({{"repository_key", backup.repository_key},
                         {"label", backup.label},
                         {"type", backup.type},
                         {"stopped", backup.stopped ? Json(to_iso8601(*backup.stopped)) : Json()},
                         {"last_proved", to_iso8601(backup.last_proved)},
                         {"last_drill", backup.last_drill},
                         {"passes", backup.passes}});
    }
    Json ranges = Json::array();
    for (const auto& range : coverage.ranges) {
      ranges.push_back({{"from", to_iso8601(range.from)},
                        {"to", to_iso8601(range.to)},
                        {"last_proved", to_iso8601(range.last_proved)}});
    }
    list.push_back({{"stanza", coverage.stanza}, {"backups", backups}, {"ranges", ranges}});
  }
  std::cout << list.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

void print_coverage_csv(const std::vector<StanzaCoverage>& all) {
  std::cout << "stanza,repository_key,label,type,stopped,last_proved,last_drill,passes\n";
  for (const auto& coverage : all) {
    for (const auto& backup : coverage.backups) {
      std::cout << fmt::format(
          "{},{},{},{},{},{},{},{}\n", csv_field(coverage.stanza), backup.repository_key,
          csv_field(backup.label), csv_field(backup.type),
          backup.stopped ? to_iso8601(*backup.stopped) : "", to_iso8601(backup.last_proved),
          csv_field(backup.last_drill), backup.passes);
    }
  }
}

void print_coverage_text(const StanzaCoverage& coverage) {
  std::cout << fmt::format("stanza {}\n", printable(coverage.stanza));
  std::cout << fmt::format("  {:<33}  {:<12}  {:<19}  {:<19}  {:>6}  {}\n", "BACKUP", "TYPE",
                           "ENDED (UTC)", "LAST PROVED (UTC)", "PASSES", "DRILL");
  for (const auto& backup : coverage.backups) {
    std::cout << fmt::format("  {}  {:<12}  {:<19}  {:<19}  {:>6}  {}\n",
                             pad_right(printable(backup.label), 33), printable(backup.type),
                             backup.stopped ? time_in_words(*backup.stopped).substr(0, 19) : "-",
                             time_in_words(backup.last_proved).substr(0, 19), backup.passes,
                             printable(backup.last_drill));
  }
  if (coverage.ranges.empty()) return;
  std::cout << "  times to which recovery was proved (UTC):\n";
  for (const auto& range : coverage.ranges) {
    std::cout << fmt::format(
        "  {} to {}, last proved {}\n", time_in_words(range.from).substr(0, 19),
        time_in_words(range.to).substr(0, 19), time_in_words(range.last_proved).substr(0, 19));
  }
}

}  // namespace

CommandAction configure_history_trends(CLI::App& command, const CommonOptions& common,
                                       const HistorySettings& settings) {
  auto options = std::make_shared<FilterOptions>();
  add_filter_options(command, *options);
  return [&common, &settings, options](const std::stop_token& stop) {
    auto ledger = open_existing_ledger(settings, common, stop);
    const auto filter = filter_of(*options, std::chrono::system_clock::now());
    const auto points = ledger ? ledger->trend(filter) : std::vector<TrendPoint>{};
    const auto format = format_of(settings, common);
    if (format == "json") {
      print_trend_json(points);
    } else if (format == "csv") {
      print_trend_csv(points);
    } else if (points.empty()) {
      std::cout << "no finished drill in the ledger matches\n";
    } else {
      print_trend_table(points);
    }
    return ExitCode::pass;
  };
}

CommandAction configure_history_coverage(CLI::App& command, const CommonOptions& common,
                                         const HistorySettings& settings) {
  auto stanza = std::make_shared<std::string>();
  command.add_option("--stanza", *stanza, "only this stanza")->type_name("NAME");
  return [&common, &settings, stanza](const std::stop_token& stop) {
    auto ledger = open_existing_ledger(settings, common, stop);
    std::vector<StanzaCoverage> all;
    if (ledger) all = ledger->coverage(stanza->empty() ? std::nullopt : std::optional(*stanza));
    const auto format = format_of(settings, common);
    if (format == "json") {
      print_coverage_json(all);
    } else if (format == "csv") {
      print_coverage_csv(all);
    } else if (all.empty()) {
      std::cout << "no drill in the ledger has passed\n";
    }
    if (format == "text") {
      for (const auto& coverage : all) print_coverage_text(coverage);
    }
    return ExitCode::pass;
  };
}

}  // namespace pgrehearse
