#include "harness/repository/pgbackrest/pgbackrest_options.hpp"

#include <fmt/format.h>

#include <array>

namespace pgrehearse {

namespace {

// pgBackRest rejects an option that its command does not know ([031]; measured with 2.45).
struct Row {
  PgBackRestCommand command;
  std::string_view name;
  bool lock = false;
  bool spool = false;
  std::string_view async = {};  // archive-get only
  std::string_view file_level = "off";
  std::string_view console_level = "off";  // standard output is for results
  std::string_view error_level = "warn";
};

constexpr std::array rows{
    // PostgreSQL's log collects standard error. The queue of production may be larger than the
    // sandbox's disk.
    Row{.command = PgBackRestCommand::archive_get,
        .name = "archive-get",
        .lock = true,
        .async = "--no-archive-async",
        .error_level = "error"},
    Row{.command = PgBackRestCommand::archive_get_ahead,
        .name = "archive-get",
        .lock = true,
        .spool = true,
        .async = "--archive-async",
        .error_level = "error"},
    Row{.command = PgBackRestCommand::info, .name = "info", .lock = true},
    Row{.command = PgBackRestCommand::repo_get, .name = "repo-get"},
    Row{.command = PgBackRestCommand::repo_ls, .name = "repo-ls"},
    // A restore empties <spool-path>/archive/<stanza>, also where archive-async is off.
    Row{.command = PgBackRestCommand::restore,
        .name = "restore",
        .lock = true,
        .spool = true,
        .file_level = "info",
        .console_level = "detail",
        .error_level = "off"},
    // The log names the damaged files; the result only counts them.
    Row{.command = PgBackRestCommand::verify,
        .name = "verify",
        .console_level = "detail",
        .error_level = "off"},
};

const Row& row_of(PgBackRestCommand command) { return rows.at(static_cast<std::size_t>(command)); }

constexpr bool rows_are_in_order() {
  for (std::size_t at = 0; at < rows.size(); ++at) {
    if (static_cast<std::size_t>(rows[at].command) != at) return false;
  }
  return true;
}
static_assert(rows_are_in_order());

}  // namespace

std::string_view name_of(PgBackRestCommand command) { return row_of(command).name; }

std::vector<std::string> pgbackrest_options(PgBackRestCommand command,
                                            const RepositorySpec& repository,
                                            std::optional<int> key,
                                            const std::filesystem::path& own) {
  const auto& row = row_of(command);
  std::vector<std::string> options;
  if (repository.configuration) options.push_back("--config=" + repository.configuration->string());
  if (!repository.stanza.empty()) options.push_back("--stanza=" + repository.stanza);
  if (key) options.push_back(fmt::format("--repo={}", *key));
  if (row.lock) options.push_back("--lock-path=" + (own / "lock").string());
  if (row.spool) options.push_back("--spool-path=" + (own / "spool").string());
  if (!row.async.empty()) options.emplace_back(row.async);
  if (command == PgBackRestCommand::archive_get_ahead) {
    options.insert(options.end(), {"--process-max=2", "--archive-get-queue-max=128MiB"});
  }
  options.insert(options.end(), {"--log-path=" + (own / "log").string(),
                                 fmt::format("--log-level-file={}", row.file_level),
                                 fmt::format("--log-level-console={}", row.console_level),
                                 fmt::format("--log-level-stderr={}", row.error_level),
                                 "--no-log-subprocess", "--no-log-timestamp"});
  return options;
}

}  // namespace pgrehearse
