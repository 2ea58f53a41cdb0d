#include <algorithm>
#include <array>

#include "harness/faults/damage/actions.hpp"

namespace pgrehearse {

namespace {

using enum DamageStage;

constexpr std::array<std::string_view, 3> forks{"main", "vm", "fsm"};
constexpr std::array<std::string_view, 3> records{"backup.info", "archive.info", "backup.manifest"};
constexpr std::array<std::string_view, 4> ways{"lost", "empty", "truncated", "flipped"};
constexpr std::array<std::string_view, 3> copies{"main", "copy", "both"};
constexpr std::array<std::string_view, 2> which_backups{"full", "newest"};

constexpr KeyDescription relation{
    .name = "relation",
    .summary = "schema and name in database shop; toast:NAME for its TOAST table",
    .example = "sales.orders",
    .required = true};
constexpr KeyDescription fork{.name = "fork",
                              .kind = KeyKind::choice,
                              .summary = "fork of the relation",
                              .example = "vm",
                              .default_value = "main",
                              .choices = forks};
constexpr KeyDescription block{.name = "block",
                               .kind = KeyKind::integer,
                               .summary = "block to damage",
                               .example = "3",
                               .default_value = "0"};
constexpr KeyDescription which{
    .name = "which",
    .summary = "first, last, middle, backup_start, switch, or a segment name",
    .example = "middle",
    .default_value = "middle"};
constexpr KeyDescription timeline{.name = "timeline",
                                  .summary = "timeline, as in file names",
                                  .example = "\"00000002\"",
                                  .default_value = "00000002"};
constexpr KeyDescription how{.name = "how",
                             .kind = KeyKind::choice,
                             .summary = "kind of damage",
                             .example = "flipped",
                             .default_value = "lost",
                             .choices = ways};

constexpr std::array page_keys{relation, fork, block};
constexpr std::array flip_keys{relation, fork, block,
                               KeyDescription{.name = "offset",
                                              .kind = KeyKind::integer,
                                              .summary = "offset in the page",
                                              .example = "5000",
                                              .default_value = "5000"}};
constexpr std::array misplace_keys{relation, block,
                                   KeyDescription{.name = "from",
                                                  .kind = KeyKind::integer,
                                                  .summary = "block to copy from",
                                                  .example = "1",
                                                  .default_value = "1"},
                                   KeyDescription{.name = "from_relation",
                                                  .summary = "relation to copy from",
                                                  .example = "sales.journal",
                                                  .default_value = "the same relation"}};
constexpr std::array file_keys{relation, fork};
constexpr std::array relation_keys{relation};
constexpr std::array remove_keys{relation, fork,
                                 KeyDescription{.name = "segment",
                                                .kind = KeyKind::integer,
                                                .summary = "number of the 1 GB segment file",
                                                .example = "1",
                                                .default_value = "the first segment file"}};
constexpr std::array truncate_keys{relation, fork,
                                   KeyDescription{.name = "blocks",
                                                  .kind = KeyKind::integer,
                                                  .summary = "number of blocks to keep",
                                                  .example = "1",
                                                  .default_value = "1"}};
constexpr std::array xact_keys{KeyDescription{.name = "fact",
                                              .summary = "fact that contains the transaction id",
                                              .example = "xid",
                                              .default_value = "xid"}};
constexpr std::array sql_keys{
    KeyDescription{.name = "run",
                   .kind = KeyKind::text_list,
                   .summary = "statements to run, in order",
                   .example = "[\"drop table sales.journal\"]",
                   .required = true},
    KeyDescription{.name = "database",
                   .summary = "database to run them in",
                   .example = "postgres",
                   .default_value = "shop"},
    KeyDescription{.name = "fact", .summary = "fact that stores the last result", .example = "xid"},
    KeyDescription{.name = "hits",
                   .summary = "damaged object, for the expectation",
                   .example = "shop.sales.orders"},
    KeyDescription{.name = "may_fail",
                   .kind = KeyKind::boolean,
                   .summary = "ignore a failing statement",
                   .example = "true",
                   .default_value = "false"}};
constexpr std::array<std::string_view, 3> consequences{"nothing", "reload", "restart"};
constexpr std::array<std::string_view, 2> roles{"primary", "stanza"};
constexpr std::array<std::string_view, 2> parts{"backup", "archive"};
constexpr std::array configuration_keys{KeyDescription{.name = "line",
                                                       .summary = "line to add to postgresql.conf",
                                                       .example = "max_connections = 300",
                                                       .required = true},
                                        KeyDescription{.name = "then",
                                                       .kind = KeyKind::choice,
                                                       .summary = "how the server applies it",
                                                       .example = "restart",
                                                       .default_value = "nothing",
                                                       .choices = consequences}};
constexpr std::array row_keys{relation,
                              KeyDescription{.name = "database",
                                             .summary = "where it is",
                                             .example = "billing",
                                             .default_value = "shop"},
                              KeyDescription{.name = "plus",
                                             .kind = KeyKind::integer,
                                             .summary = "number of rows added before the damage",
                                             .example = "50",
                                             .required = true}};
constexpr std::array other_keys{KeyDescription{.name = "as",
                                               .kind = KeyKind::choice,
                                               .summary = "role of the second cluster in the drill",
                                               .example = "stanza",
                                               .default_value = "primary",
                                               .choices = roles}};
constexpr std::array option_keys{
    KeyDescription{
        .name = "name", .summary = "pgBackRest option", .example = "repo1-path", .required = true},
    KeyDescription{.name = "value",
                   .summary = "new value; if empty, the line is removed",
                   .example = "/nonexistent/repository"}};
constexpr std::array part_keys{KeyDescription{.name = "part",
                                              .kind = KeyKind::choice,
                                              .summary = "part of the repository",
                                              .example = "archive",
                                              .default_value = "backup",
                                              .choices = parts}};
constexpr std::array disk_keys{KeyDescription{.name = "megabytes",
                                              .kind = KeyKind::integer,
                                              .summary = "size of the sandbox's file system",
                                              .example = "20",
                                              .required = true},
                               KeyDescription{.name = "enough",
                                              .kind = KeyKind::boolean,
                                              .summary = "enlarge it if a drill needs more",
                                              .example = "true",
                                              .default_value = "false"}};
constexpr std::array segment_keys{which};
constexpr std::array line_keys{KeyDescription{
    .name = "line", .summary = "line to add", .example = "archive-copy=y", .required = true}};
constexpr std::array statement_keys{
    KeyDescription{.name = "run",
                   .kind = KeyKind::text_list,
                   .summary = "statements in database shop; the damage is after the first",
                   .example = "[\"insert into sales.events (round) values (1)\"]",
                   .required = true}};
constexpr std::array branch_keys{which, timeline,
                                 KeyDescription{.name = "history",
                                                .kind = KeyKind::boolean,
                                                .summary = "also write a history file",
                                                .example = "false",
                                                .default_value = "true"},
                                 KeyDescription{.name = "at",
                                                .summary = "LSN of the branch",
                                                .example = "0/3000000",
                                                .default_value = "start of the segment"}};
constexpr std::array history_keys{timeline};
constexpr std::array record_keys{KeyDescription{.name = "file",
                                                .kind = KeyKind::choice,
                                                .summary = "metadata file",
                                                .example = "backup.info",
                                                .required = true,
                                                .choices = records},
                                 how,
                                 KeyDescription{.name = "copies",
                                                .kind = KeyKind::choice,
                                                .summary = "which of the two copies",
                                                .example = "main",
                                                .default_value = "both",
                                                .choices = copies}};
constexpr std::array backup_keys{
    how, KeyDescription{.name = "file",
                        .summary = "file of the newest backup",
                        .example = "global/pg_control",
                        .default_value = "the largest file of the full backup"}};
constexpr std::array database_keys{KeyDescription{
    .name = "database", .summary = "name of the database", .example = "billing", .required = true}};
constexpr std::array directory_keys{KeyDescription{
    .name = "name", .summary = "name of the directory", .example = "late", .required = true}};
constexpr std::array which_backup_keys{KeyDescription{.name = "which",
                                                      .kind = KeyKind::choice,
                                                      .summary = "which backup",
                                                      .example = "full",
                                                      .default_value = "full",
                                                      .choices = which_backups}};
constexpr std::array scenario_keys_of_drill{KeyDescription{.name = "values",
                                                           .kind = KeyKind::text_list,
                                                           .summary = "key=value, as for run --set",
                                                           .example = "[\"recover_to=immediate\"]",
                                                           .required = true}};
constexpr std::array<std::string_view, 2> calls{"restore", "archive_get"};
constexpr std::array wrapper_keys{
    KeyDescription{.name = "call",
                   .kind = KeyKind::choice,
                   .summary = "the calls to replace",
                   .example = "restore",
                   .required = true,
                   .choices = calls},
    KeyDescription{
        .name = "segment",
        .summary = "only calls for this segment: first, last, middle, backup_start, switch",
        .example = "middle"},
    KeyDescription{.name = "command",
                   .summary = "shell commands to run",
                   .example = "exit 103",
                   .required = true}};

constexpr std::array command_keys{KeyDescription{.name = "command",
                                                 .summary = "shell commands to run",
                                                 .example = "ulimit -v 200000",
                                                 .required = true}};

constexpr auto table = std::to_array<DamageDescription>({
    {"sql", "run statements on the primary before its backup", running, sql_keys, run_sql},
    {"flip_bits", "flip a bit of a page", stopped, flip_keys, flip_bits},
    {"zero_page", "overwrite a page with zeroes", stopped, page_keys, zero_page},
    {"tear_page", "replace the second half of a page with an earlier version", stopped, page_keys,
     tear_page},
    {"lose_write", "replace a page with an earlier version", stopped, page_keys, lose_write},
    {"misplace_page", "copy a valid page over another page", stopped, misplace_keys, misplace_page},
    {"future_row", "set a row's xmin to a future transaction", stopped, page_keys, set_future_xmin},
    {"lose_row", "mark a row's line pointer as dead, keep its index entry", stopped, page_keys,
     lose_row},
    {"enlarge", "extend a relation to a second 1 GB segment file", stopped, relation_keys, enlarge},
    {"remove_file", "remove a relation's file", stopped, remove_keys, remove_data_file},
    {"truncate_file", "truncate a relation's file", stopped, truncate_keys, truncate_data_file},
    {"abort_transaction", "mark a committed transaction as aborted in pg_xact", stopped, xact_keys,
     abort_transaction},
    {"remove_database", "remove a database's directory", stopped, database_keys, remove_database},
    {"cut_file", "truncate a relation's file within a page", stopped, file_keys, cut_file},
    {"disable_checksums", "disable page checksums", stopped, {}, disable_checksums},
    {"expect_rows", "add rows before the damage", running, row_keys, expect_rows},
    {"remove_configuration",
     "move postgresql.conf out of the data directory",
     running,
     {},
     remove_configuration},
    {"sql_after_backup", "run statements on the primary after its backup", after_backup, sql_keys,
     run_sql},
    {"make_directory", "create a directory for a tablespace, available as @directory@", running,
     directory_keys, make_directory},
    {"configure_after_work", "add a line to postgresql.conf after the last WAL was archived",
     after_work, configuration_keys, change_configuration},
    {"sql_after_work", "run statements on the primary after its last WAL was archived", after_work,
     sql_keys, run_sql},
    {"configure", "add a line to the primary's postgresql.conf", running, configuration_keys,
     change_configuration},
    {"configure_after_backup", "add a line to the primary's postgresql.conf after the backup",
     after_backup, configuration_keys, change_configuration},
    {"configure_pgbackrest", "add a line to pgBackRest's configuration before the backup", running,
     line_keys, configure_pgbackrest},
    {"back_up_offline",
     "take a full backup of the stopped primary",
     after_backup,
     {},
     back_up_offline},
    {"damage_wal", "zero a WAL record before its segment, the last one, is archived", after_work,
     statement_keys, damage_wal},
    {"archive_wal",
     "switch and archive the WAL segment after all work",
     after_work,
     {},
     archive_wal},
    {"remove_segment", "remove a WAL segment", repository, segment_keys, remove_segment},
    {"flip_segment", "change a byte of a WAL segment", repository, segment_keys, flip_segment},
    {"truncate_segment", "truncate a WAL segment to half its size", repository, segment_keys,
     truncate_segment},
    {"duplicate_segment", "add a second file for a WAL segment, with different content", repository,
     segment_keys, duplicate_segment},
    {"replace_segment", "replace a WAL segment with one of another cluster", repository,
     segment_keys, replace_segment},
    {"add_timeline", "add a timeline", repository, branch_keys, add_timeline},
    {"remove_history", "remove a history file", repository, history_keys, remove_history},
    {"damage_record", "remove or damage a metadata file of the repository", repository, record_keys,
     damage_repository_file},
    {"damage_backup", "remove or damage a file of a backup", repository, backup_keys,
     damage_backup_file},
    {"remove_backup", "remove a backup without pgBackRest", repository, which_backup_keys,
     remove_backup},
    {"forbid", "remove read permission on a part of the repository", repository, part_keys, forbid},
    {"upgrade_stanza", "upgrade the stanza to another cluster", repository, {}, upgrade_stanza},
    {"use_other_cluster", "direct the drill to another cluster", drill, other_keys,
     use_other_cluster},
    {"change_option", "change an option in pgBackRest's configuration", drill, option_keys,
     change_option},
    {"shrink_disk", "put the sandbox on a small file system", drill, disk_keys, shrink_disk},
    {"change_passphrase",
     "change the passphrase in the configuration",
     drill,
     {},
     change_passphrase},
    {"scenario", "change values of the scenario", drill, scenario_keys_of_drill, change_scenario},
    {"wrap_postgres", "run shell commands before each start of the server", drill, command_keys,
     wrap_postgres},
    {"wrap_tool", "replace some calls of the backup tool with shell commands", drill, wrapper_keys,
     wrap_tool},
});

}  // namespace

std::span<const DamageDescription> damage_table() { return table; }

const DamageDescription* find_damage(std::string_view name) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const auto& row) { return row.name == name; });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace pgrehearse
