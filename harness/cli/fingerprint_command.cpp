#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "harness/cli/commands.hpp"
#include "harness/cli/new_file.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/text.hpp"
#include "harness/reporting/printable.hpp"
#include "harness/reporting/terminal.hpp"
#include "harness/scenario/language/section_reader.hpp"
#include "harness/scenario/scenario_parser.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

struct FingerprintArguments {
  std::string scenario;
  std::string primary;
  std::string to;
  std::vector<std::string> overrides;
  std::vector<std::string> tables;
  // By key of the check `comparison`: sample, budget.time, ...
  std::map<std::string, std::string> settings;
  bool allow_inexact = false;
};

// The check's keys that control how the primary is read, and their option names.
struct ReadingKey {
  std::string option;
  std::string setting;
  KeyDescription description;
};

std::vector<ReadingKey> reading_keys() {
  const auto& check = comparison_description();
  std::vector<ReadingKey> keys;
  const auto add = [&](const KeyDescription& key, const std::string& prefix) {
    auto option = "--" + std::string(key.name);
    std::replace(option.begin(), option.end(), '_', '-');
    keys.push_back({option, prefix + std::string(key.name), key});
  };
  for (const auto& key : check.keys) {
    if (key.name == "sample" || key.name == "uncompared") add(key, "");
    if (key.name != "budget") continue;
    for (const auto& child : key.children) add(child, "budget.");
  }
  return keys;
}

Settings settings_of(const FingerprintArguments& arguments, Settings settings) {
  for (const auto& key : reading_keys()) {
    const auto& text = arguments.settings.at(key.setting);
    if (text.empty()) continue;
    const auto value = convert_scalar(key.description, text);
    if (!value) {
      throw Error(
          ErrorKind::usage,
          fmt::format("{}: '{}' is not {}", key.option, text, described(key.description.kind)),
          fmt::format("for example {} {}", key.option, key.description.example));
    }
    settings.set(key.setting, *value);
  }
  auto tables = settings.get_or<std::map<std::string, std::string>>("tables", {});
  for (const auto& rule : arguments.tables) {
    const auto equals = rule.rfind('=');
    if (equals == std::string::npos) {
      throw Error(ErrorKind::usage, fmt::format("--table: '{}' has no rule", rule),
                  "for example --table 'shop.audit.*=count_only'");
    }
    tables[rule.substr(0, equals)] = rule.substr(equals + 1);
  }
  if (!tables.empty()) settings.set("tables", tables);
  return settings;
}

std::unique_ptr<Primary> primary_of(const std::string& dsn) {
  if (parse_dsn(dsn).contains("password")) {
    throw Error(ErrorKind::usage,
                "--primary contains a password, which every user of this host can see",
                "put it into ~/.pgpass, or use a scenario with ${PASSWORD} from the environment");
  }
  return std::make_unique<Primary>(dsn);
}

// The primary, and the settings for reading it.
struct Subject {
  ScenarioParts parts;
  Settings settings;
};

Subject subject_of(const FingerprintArguments& arguments, const CommonOptions& common) {
  if (arguments.scenario.empty() == arguments.primary.empty()) {
    throw Error(ErrorKind::usage, "give either a scenario or --primary",
                "for example pgrehearse fingerprint weekly.yaml --to orders.fingerprint");
  }
  Subject subject;
  if (!arguments.primary.empty()) {
    subject.parts.primary = primary_of(arguments.primary);
  } else {
    const auto scenario = load_scenario(arguments.scenario, arguments.overrides, all_checks());
    subject.parts = wire(scenario, common.state, fmt::format("fingerprint-{}", getpid()));
    if (!subject.parts.primary) {
      throw Error(ErrorKind::usage, fmt::format("{} has no primary", arguments.scenario),
                  "add primary: { dsn: \"host=db1 dbname=postgres user=pgrehearse\" }");
    }
    const auto check = std::find_if(
        scenario.checks.begin(), scenario.checks.end(),
        [](const auto& request) { return request.check == comparison_description().name; });
    if (check != scenario.checks.end()) subject.settings = check->settings;
  }
  subject.settings = settings_of(arguments, std::move(subject.settings));
  return subject;
}

// A single line, overwritten with each update; only on a terminal.
FingerprintProgress progress_of(const CommonOptions& common) {
  if (common.quiet || !is_terminal(STDERR_FILENO)) return nullptr;
  return [](std::string_view database, std::uint64_t done, std::uint64_t total) {
    std::cerr << fmt::format("\r\033[K{}: {} of {} relations", printable(database), done, total)
              << (done == total ? "\r\033[K" : "") << std::flush;
  };
}

bool is_exact(const CaptureSummary& summary) {
  return std::all_of(summary.databases.begin(), summary.databases.end(), [](const auto& database) {
    return database.exact || !database.error.empty();
  });
}

Json json_of(const CaptureSummary& summary, const std::string& file, double seconds) {
  auto databases = Json::array();
  for (const auto& database : summary.databases) {
    Json json{{"database", database.database},
              {"exact", database.exact},
              {"method", database.method},
              {"lsn", to_text(database.lsn)},
              {"explanation", database.explanation}};
    if (!database.error.empty()) json["error"] = database.error;
    databases.push_back(std::move(json));
  }
  return {{"file", file},
          {"exact", is_exact(summary)},
          {"seconds", seconds},
          {"databases", databases},
          {"relations", summary.relations},
          {"compared", summary.compared},
          {"rows", summary.rows},
          {"left_out", summary.left_out},
          {"gaps", summary.gaps},
          {"budget_over", summary.budget_over}};
}

std::string text_of(const CaptureSummary& summary, const std::string& file, double seconds) {
  std::string text;
  for (const auto& database : summary.databases) {
    if (!database.error.empty()) {
      text += fmt::format("{}: not read: {}\n", database.database, database.error);
      continue;
    }
    const auto why = database.explanation.empty() ? "" : ": " + database.explanation;
    text += database.exact ? fmt::format("{}: exact at {} ({}{})\n", database.database,
                                         to_text(database.lsn), database.method, why)
                           : fmt::format("{}: approximate at {}: no exact snapshot{}\n",
                                         database.database, to_text(database.lsn), why);
  }
  text += fmt::format("{} relations, {} read, {} rows, in {}\n", summary.relations,
                      summary.compared, summary.rows, to_text(Seconds(seconds)));
  for (const auto& [cause, count] : summary.left_out) {
    text += fmt::format("  not read: {} {}\n", count, cause);
  }
  if (summary.gaps > 0) {
    text +=
        fmt::format("  {} relations that should have been compared were not read\n", summary.gaps);
  }
  if (!summary.budget_over.empty()) {
    text += fmt::format("  stopped early: {}\n", summary.budget_over);
  }
  return text + fmt::format("written to {}\n", file == "-" ? "standard output" : file);
}

ExitCode take(const FingerprintArguments& arguments, const CommonOptions& common,
              const std::stop_token& stop) {
  auto subject = subject_of(arguments, common);
  const auto& primary = *subject.parts.primary;
  const auto rules = fingerprint_rules(subject.settings);
  NewFile file(arguments.to);
  const auto began = std::chrono::steady_clock::now();
  const auto summary =
      FingerprintCapture(primary, rules, snapshots_for_file(subject.parts, rules.budget))
          .run(file.out(), progress_of(common), stop);
  file.commit();
  const double seconds = Seconds(std::chrono::steady_clock::now() - began).count();
  auto& out = arguments.to == "-" ? std::cerr : std::cout;
  if (common.format == "json") {
    out << json_of(summary, arguments.to, seconds)
               .dump(2, ' ', false, Json::error_handler_t::replace)
        << '\n';
  } else {
    out << text_of(summary, arguments.to, seconds);
  }
  const bool gaps =
      summary.gaps > 0 && subject.settings.get_or<std::string>("uncompared", "unknown") != "pass";
  const bool inexact = !is_exact(summary) && !arguments.allow_inexact;
  return gaps || inexact || summary.databases.empty() ? ExitCode::unknown : ExitCode::pass;
}

void add_reading_options(CLI::App& command, FingerprintArguments& arguments) {
  const char* group = "What to read";
  for (const auto& key : reading_keys()) {
    auto& text = arguments.settings[key.setting];
    command
        .add_option(key.option, text,
                    fmt::format("{} [{}]", key.description.summary, key.description.default_value))
        ->type_name(key.description.choices.empty()
                        ? std::string(key.description.example)
                        : join(std::vector<std::string>(key.description.choices.begin(),
                                                        key.description.choices.end()),
                               "|"))
        ->group(group);
  }
  command
      .add_option("--table", arguments.tables,
                  "exclude, count_only or full, for tables that match a pattern on "
                  "database.schema.table; can be repeated")
      ->type_name("PATTERN=RULE")
      ->allow_extra_args(false)
      ->group(group);
}

}  // namespace

CommandAction configure_fingerprint(CLI::App& command, const CommonOptions& common) {
  auto arguments = std::make_shared<FingerprintArguments>();
  command
      .add_option("scenario", arguments->scenario,
                  "use this scenario's primary and the settings of its `comparison` check")
      ->type_name("FILE");
  command
      .add_option("--primary", arguments->primary,
                  "connection string of the server to read, instead of a scenario")
      ->type_name("DSN");
  command
      .add_option("--to", arguments->to,
                  "output file; replaced only when complete; - for standard output")
      ->required()
      ->type_name("FILE");
  command.add_option("--set", arguments->overrides, "override a scenario value")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command.add_flag("--allow-inexact", arguments->allow_inexact,
                   "exit with 0 even if no exact snapshot was possible");
  add_reading_options(command, *arguments);
  return
      [arguments, &common](const std::stop_token& stop) { return take(*arguments, common, stop); };
}

}  // namespace pgrehearse
