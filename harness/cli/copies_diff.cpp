#include "harness/cli/copies_diff.hpp"

#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "harness/cli/new_file.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/text.hpp"
#include "harness/copies/copy_text.hpp"
#include "harness/copies/rescue_files.hpp"
#include "harness/primary/budget.hpp"
#include "harness/reporting/printable.hpp"
#include "harness/sandbox/instance_sessions.hpp"
#include "harness/sandbox/scratch_directory.hpp"
#include "harness/scenario/scenario_parser.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t most_shown = 10;

Primary primary_of(const std::string& against) {
  std::error_code missing;
  if (!std::filesystem::is_regular_file(against, missing)) {
    if (against.find('=') == std::string::npos && against.find("://") == std::string::npos) {
      throw Error(ErrorKind::usage,
                  fmt::format("'{}' is neither a scenario file nor a connection string", against),
                  "--against weekly.yaml, or --against 'host=db1 user=pgrehearse'");
    }
    return Primary(against);
  }
  const auto scenario = load_scenario(against, {}, all_checks());
  if (scenario.primary) return Primary(*scenario.primary);
  throw Error(ErrorKind::usage, fmt::format("{} names no primary", against),
              "add `primary` to the scenario, or give a connection string");
}

TableShape require_table(Connection& connection, const TableName& table, std::string_view where) {
  if (auto shape = read_table_shape(connection, table)) return std::move(*shape);
  throw Error(
      ErrorKind::usage, fmt::format("table {} does not exist in {}", to_text(table), where),
      "the name is written as in the catalog: DATABASE.SCHEMA.TABLE; create a dropped table "
      "first, for example with pg_restore --schema-only from a dump of the copy");
}

// What the comparison found, for people and for --format json.
struct Shown {
  std::vector<std::string> lines;
  void add(RowDifference difference, std::string_view copy, std::string_view other) {
    if (lines.size() >= most_shown) return;
    const auto text = [](std::string_view row) {
      std::vector<std::string> values;
      for (const auto field : copy_fields(row)) values.push_back(csv_field(field));
      return printable(join(values, ", "));
    };
    switch (difference) {
      case RowDifference::only_in_copy:
        return lines.push_back("only in the copy     " + text(copy));
      case RowDifference::changed:
        return lines.push_back(fmt::format("changed              {}\n  in the primary       {}",
                                           text(copy), text(other)));
      case RowDifference::only_in_other:
        return lines.push_back("only in the primary  " + text(other));
    }
  }
};

void print(const TableName& table, const DiffCounts& counts, const Shown& shown,
           const CopiesDiff& arguments, const CommonOptions& common) {
  if (common.format == "json") {
    const nlohmann::ordered_json json{{"table", to_text(table)},
                                      {"rows_in_copy", counts.copy},
                                      {"rows_in_primary", counts.other},
                                      {"equal", counts.equal},
                                      {"only_in_copy", counts.only_in_copy},
                                      {"changed", counts.changed},
                                      {"only_in_primary", counts.only_in_other}};
    std::cout << json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
    return;
  }
  std::cout << fmt::format(
      "{}: {} rows in the copy, {} in the primary\n"
      "  equal                {}\n"
      "  only in the copy     {}\n"
      "  changed              {}\n"
      "  only in the primary  {}\n",
      printable(to_text(table)), counts.copy, counts.other, counts.equal, counts.only_in_copy,
      counts.changed, counts.only_in_other);
  if (!shown.lines.empty()) std::cout << "first differences\n";
  for (const auto& line : shown.lines) std::cout << "  " << line << '\n';
  if (!arguments.csv.empty())
    std::cout << "differences written to " << arguments.csv.string() << '\n';
  if (!arguments.sql.empty()) {
    std::cout << fmt::format(
        "{} INSERT statements written to {}: review them, then run the file on "
        "the primary\n",
        counts.only_in_copy, arguments.sql.string());
  }
}

// Reads both tables.
TableDiff read_both(Sandbox& copy, Primary& primary, const TableName& table,
                    const CopiesDiff& arguments, const std::filesystem::path& directory,
                    TableShape& in_primary, const std::stop_token& stop) {
  auto ours = InstanceSessions(copy).open(table.database, ErrorKind::startup, stop);
  const auto in_copy = require_table(ours, table, "the copy");
  const auto server = primary.pinned(stop);
  const BudgetWatch watch(server, {.time = arguments.time}, stop);
  try {
    auto theirs = server.connect(table.database, watch.token());
    in_primary = require_table(theirs, table, "the primary");
    const auto columns = common_columns(in_copy, in_primary);
    if (columns.empty()) {
      throw Error(ErrorKind::usage, "the two tables have no column in common");
    }
    const auto& key = in_primary.key.empty() ? in_copy.key : in_primary.key;
    TableDiff diff(columns, key, directory, std::max(in_copy.bytes, in_primary.bytes));
    read_rows(theirs, in_primary, columns, [&](auto row) { diff.add_other_row(row); });
    read_rows(ours, in_copy, columns, [&](auto row) { diff.add_copy_row(row); });
    return diff;
  } catch (const Error& error) {
    if (watch.over().empty()) throw;
    throw Error(ErrorKind::environment,
                fmt::format("reading the primary was stopped: {}", watch.over()),
                "raise --time, or compare a smaller table");
  }
}

}  // namespace

ExitCode diff_copy(Sandbox& copy, const CopiesDiff& arguments, const CommonOptions& common,
                   const std::stop_token& stop) {
  const auto table = parse_table_name(arguments.table);
  auto primary = primary_of(arguments.against);
  // Rows of production: private, and found by `clean` if this process is killed.
  const ScratchDirectory scratch(common.state, copy.spec().run_id + "-diff", current_account());
  TableShape in_primary;
  auto diff = read_both(copy, primary, table, arguments, scratch.path(), in_primary, stop);
  std::optional<NewFile> csv_file;
  std::optional<NewFile> sql_file;
  std::optional<DifferenceCsv> csv;
  std::optional<RescueSql> sql;
  if (!arguments.csv.empty()) csv.emplace(csv_file.emplace(arguments.csv).out(), diff.columns());
  if (!arguments.sql.empty()) {
    sql.emplace(sql_file.emplace(arguments.sql).out(),
                RescueSql::Source{.table = table,
                                  .copy = "copy " + copy.spec().run_id,
                                  .primary = in_primary,
                                  .columns = diff.columns()});
  }
  Shown shown;
  const auto counts = diff.compare([&](auto difference, auto ours, auto theirs) {
    shown.add(difference, ours, theirs);
    if (csv) csv->add(difference, ours, theirs);
    if (sql && difference == RowDifference::only_in_copy) sql->add(ours);
  });
  if (sql) sql->finish(counts);
  if (csv_file) csv_file->commit();
  if (sql_file) sql_file->commit();
  print(table, counts, shown, arguments, common);
  return counts.same() ? ExitCode::pass : ExitCode::fail;
}

}  // namespace pgrehearse
