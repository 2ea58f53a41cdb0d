#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <clocale>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "harness/cli/commands.hpp"
#include "harness/cli/options.hpp"
#include "harness/cli/stanza_options.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/map/build_map.hpp"
#include "harness/map/map_edges.hpp"
#include "harness/map/recoverable_at.hpp"
#include "harness/report/forecast.hpp"
#include "harness/report/run_store.hpp"
#include "harness/reporting/map/instant_answer.hpp"
#include "harness/reporting/map/map_formats.hpp"
#include "harness/reporting/terminal.hpp"

namespace pgrehearse {

namespace {

struct MapOptions {
  StanzaOptions from;
  std::string format;
  std::filesystem::path output;
  bool no_wal = false;
  bool verify = false;
  std::string at;
};

// From the environment, in setlocale's order.
bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string_view text(value);
    return text.find("UTF-8") != std::string_view::npos ||
           text.find("utf8") != std::string_view::npos ||
           text.find("utf-8") != std::string_view::npos;
  }
  return false;
}

// The instant of --at with its answer, if one was asked for.
struct Asked {
  Instant at;
  std::chrono::minutes utc_offset;
  InstantAnswer answer;
  std::optional<ExpectedRecovery> expected;
};

std::optional<Instant> instant_of(const MapOptions& options) {
  if (options.at.empty()) return {};
  const auto at = parse_instant(options.at);
  if (at) return at;
  const bool lacks_zone = parse_instant(options.at + "+00").has_value();
  throw Error(ErrorKind::usage,
              lacks_zone ? fmt::format("time '{}' has no time zone", options.at)
                         : fmt::format("'{}' is not a time", options.at),
              lacks_zone ? fmt::format("for UTC use --at '{}+00'", options.at)
                         : "for example --at '2026-11-20 14:05+01'");
}

Asked ask(const RecoveryMap& map, Instant at, const MapOptions& options,
          const CommonOptions& common) {
  Asked asked{.at = at, .utc_offset = utc_offset_of(options.at), .answer = recoverable_at(map, at)};
  const auto& answer = asked.answer;
  if (answer.backup) {
    const auto past = RunStore(common.state).newest_passed(map.scenario, map.stanza, 5);
    asked.expected = expected_recovery(past, answer.backup->backup.size.count,
                                       answer.end.value - std::min(answer.begin, answer.end).value);
  }
  return asked;
}

void write(const RecoveryMap& map, const std::optional<Asked>& asked, const std::string& format,
           MapRenderOptions options, std::ostream& out) {
  if (asked) {
    options.at = asked->at;
    options.utc_offset = asked->utc_offset;
  }
  const auto shown = [&] {
    return ShownAnswer{
        .map = map, .answer = asked->answer, .at = asked->at, .expected = asked->expected};
  };
  if (format == "json") {
    if (asked) return write_answer_json(shown(), out);
    write_map_json(map, out);
  } else if (format == "svg") {
    write_map_svg(map, options, out);
  } else {
    if (asked) write_answer_text(shown(), options, out);
    write_map_text(map, options, out);
  }
}

void write(const RecoveryMap& map, const std::optional<Asked>& asked, const MapOptions& options,
           const CommonOptions& common) {
  const auto& format = options.format.empty() ? common.format : options.format;
  if (options.output.empty() || options.output == "-") {
    write(map, asked, format,
          {.color = wants_color(STDOUT_FILENO, common.no_color),
           .unicode = locale_is_utf8(),
           .width = terminal_width(STDOUT_FILENO)},
          std::cout);
    std::cout.flush();
    return;
  }
  std::ofstream out(options.output, std::ios::trunc);
  write(map, asked, format, {.unicode = true}, out);
  out.close();
  if (!out) {
    throw Error(ErrorKind::environment,
                fmt::format("cannot write the map to {}", options.output.string()),
                "choose a file in an existing, writable directory", FindingCode::env_report_file,
                options.output);
  }
}

ExitCode map_repository(const MapOptions& options, const CommonOptions& common,
                        const std::stop_token& stop) {
  const auto at = instant_of(options);
  const auto scenario = scenario_of(options.from, "map");
  const auto id = new_run_id();
  const auto parts = wire(scenario, common.state, id);
  auto map = build_map(scenario.repository, *parts.repository,
                       options.verify ? MapReading::verify : MapReading::list, stop);
  if (!options.from.scenario.empty()) map.scenario = scenario.name;
  if (!options.no_wal) {
    auto sandbox = scenario.sandbox;
    sandbox.run_id = id;
    sandbox.scenario = scenario.name;
    read_edges(map, {*parts.repository, parts.provisioner.get(), sandbox}, stop);
  }
  if (parts.primary) measure_lag(map, *parts.primary, stop);
  const auto asked = at ? std::optional(ask(map, *at, options, common)) : std::nullopt;
  write(map, asked, options, common);
  if (asked) {
    const auto& answer = asked->answer.answer;
    return answer == Recoverability::recoverable ? ExitCode::pass
           : answer == Recoverability::lost      ? ExitCode::fail
                                                 : ExitCode::unknown;
  }
  const auto verdict = verdict_of(map);
  return verdict == MapVerdict::continuous ? ExitCode::pass
         : verdict == MapVerdict::damaged  ? ExitCode::fail
                                           : ExitCode::unknown;
}

}  // namespace

CommandAction configure_map(CLI::App& command, const CommonOptions& common) {
  auto options = std::make_shared<MapOptions>();
  add_stanza_options(command, options->from);
  command.add_flag("--no-wal", options->no_wal,
                   "do not read WAL; times are then only bounds taken from the backups");
  command.add_flag(
      "--verify", options->verify,
      "read and verify every file in the repository; takes as long as `pgbackrest verify`");
  command
      .add_option("--at", options->at,
                  "say whether this time can be recovered, with backup, WAL and expected duration")
      ->type_name("TIME");
  command.add_option("--format", options->format, "text, json or svg [text]")
      ->type_name("FORMAT")
      ->check(one_of({"text", "json", "svg"}));
  command
      .add_option("-o,--output", options->output, "write to this file instead of standard output")
      ->type_name("FILE");
  return [options, &common](const std::stop_token& stop) {
    return map_repository(*options, common, stop);
  };
}

}  // namespace pgrehearse
