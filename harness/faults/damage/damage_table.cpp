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
constexpr std::array<std::string_view, 2> sets{"full", "newest"};

constexpr KeyDescription relation{.name = "relation",
                                  .summary =
                                      "schema and name in the database shop; toast:NAME is "
                                      "its TOAST table",
                                  .example = "sales.orders",
                                  .required = true};
constexpr KeyDescription fork{.name = "fork",
                              .kind = KeyKind::choice,
                              .summary = "which file of it",
                              .example = "vm",
                              .default_value = "main",
                              .choices = forks};
constexpr KeyDescription block{.name = "block",
                               .kind = KeyKind::integer,
                               .summary = "the damaged block",
                               .example = "3",
                               .default_value = "0"};
constexpr KeyDescription which{.name = "which",
                               .summary = "first, last, middle, backup_start, switch, or a name",
                               .example = "middle",
                               .default_value = "middle"};
constexpr KeyDescription timeline{.name = "timeline",
                                  .summary = "as files name it",
                                  .example = "\"00000002\"",
                                  .default_value = "00000002"};
constexpr KeyDescription how{.name = "how",
                             .kind = KeyKind::choice,
                             .summary = "what happens to the file",
                             .example = "flipped",
                             .default_value = "lost",
                             .choices = ways};

constexpr std::array page_keys{relation, fork, block};
constexpr std::array flip_keys{relation, fork, block,
                               KeyDescription{.name = "offset",
                                              .kind = KeyKind::integer,
                                              .summary = "byte of the page",
                                              .example = "5000",
                                              .default_value = "5000"}};
constexpr std::array misplace_keys{relation, block,
                                   KeyDescription{.name = "from",
                                                  .kind = KeyKind::integer,
                                                  .summary = "the block that lands there",
                                                  .example = "1",
                                                  .default_value = "1"},
                                   KeyDescription{.name = "from_relation",
                                                  .summary = "the relation that it comes from",
                                                  .example = "sales.journal",
                                                  .default_value = "the same"}};
constexpr std::array file_keys{relation, fork};
constexpr std::array relation_keys{relation};
constexpr std::array remove_keys{relation, fork,
                                 KeyDescription{.name = "segment",
                                                .kind = KeyKind::integer,
                                                .summary = "one of its files of a gigabyte each",
                                                .example = "1",
                                                .default_value = "the first"}};
constexpr std::array truncate_keys{relation, fork,
                                   KeyDescription{.name = "blocks",
                                                  .kind = KeyKind::integer,
                                                  .summary = "how many stay",
                                                  .example = "1",
                                                  .default_value = "1"}};
constexpr std::array xact_keys{KeyDescription{.name = "fact",
                                              .summary = "the fact that holds the transaction",
                                              .example = "xid",
                                              .default_value = "xid"}};
constexpr std::array sql_keys{
    KeyDescription{.name = "run",
                   .kind = KeyKind::text_list,
                   .summary = "statements, in order",
                   .example = "[\"drop table sales.journal\"]",
                   .required = true},
    KeyDescription{.name = "database",
                   .summary = "where they run",
                   .example = "postgres",
                   .default_value = "shop"},
    KeyDescription{
        .name = "fact", .summary = "keeps the last result under this name", .example = "xid"},
    KeyDescription{.name = "hits",
                   .summary = "the relation that is hit, for the expectation",
                   .example = "shop.sales.orders"},
    KeyDescription{.name = "may_fail",
                   .kind = KeyKind::boolean,
                   .summary = "whether a statement may fail",
                   .example = "true",
                   .default_value = "false"}};
constexpr std::array<std::string_view, 3> consequences{"nothing", "reload", "restart"};
constexpr std::array<std::string_view, 2> roles{"primary", "stanza"};
constexpr std::array<std::string_view, 2> parts{"backup", "archive"};
constexpr std::array configuration_keys{KeyDescription{.name = "line",
                                                       .summary = "added to postgresql.conf",
                                                       .example = "max_connections = 300",
                                                       .required = true},
                                        KeyDescription{.name = "then",
                                                       .kind = KeyKind::choice,
                                                       .summary = "how the server takes it up",
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
                                             .summary = "rows more than before the damage",
                                             .example = "50",
                                             .required = true}};
constexpr std::array other_keys{KeyDescription{.name = "as",
                                               .kind = KeyKind::choice,
                                               .summary = "what the drill takes it for",
                                               .example = "stanza",
                                               .default_value = "primary",
                                               .choices = roles}};
constexpr std::array option_keys{KeyDescription{.name = "name",
                                                .summary = "pgBackRest's option",
                                                .example = "repo1-path",
                                                .required = true},
                                 KeyDescription{.name = "value",
                                                .summary = "its new value; none: the line is gone",
                                                .example = "/nonexistent/repository"}};
constexpr std::array part_keys{KeyDescription{.name = "part",
                                              .kind = KeyKind::choice,
                                              .summary = "which part of the repository",
                                              .example = "archive",
                                              .default_value = "backup",
                                              .choices = parts}};
constexpr std::array disk_keys{KeyDescription{.name = "megabytes",
                                              .kind = KeyKind::integer,
                                              .summary = "how large the sandbox's file system is",
                                              .example = "20",
                                              .required = true},
                               KeyDescription{.name = "enough",
                                              .kind = KeyKind::boolean,
                                              .summary = "or larger where a drill needs more",
                                              .example = "true",
                                              .default_value = "false"}};
constexpr std::array segment_keys{which};
constexpr std::array branch_keys{which, timeline,
                                 KeyDescription{.name = "history",
                                                .kind = KeyKind::boolean,
                                                .summary = "whether a history file comes with it",
                                                .example = "false",
                                                .default_value = "true"},
                                 KeyDescription{.name = "at",
                                                .summary = "where it branches off",
                                                .example = "0/3000000",
                                                .default_value = "the segment's start"}};
constexpr std::array history_keys{timeline};
constexpr std::array record_keys{KeyDescription{.name = "file",
                                                .kind = KeyKind::choice,
                                                .summary = "which record",
                                                .example = "backup.info",
                                                .required = true,
                                                .choices = records},
                                 how,
                                 KeyDescription{.name = "copies",
                                                .kind = KeyKind::choice,
                                                .summary = "which of its two copies",
                                                .example = "main",
                                                .default_value = "both",
                                                .choices = copies}};
constexpr std::array backup_keys{how, KeyDescription{.name = "file",
                                                     .summary = "of the newest set",
                                                     .example = "global/pg_control",
                                                     .default_value = "the full set's largest"}};
constexpr std::array database_keys{
    KeyDescription{.name = "database", .summary = "which", .example = "billing", .required = true}};
constexpr std::array directory_keys{KeyDescription{
    .name = "name", .summary = "of the directory", .example = "late", .required = true}};
constexpr std::array set_keys{KeyDescription{.name = "which",
                                             .kind = KeyKind::choice,
                                             .summary = "which set",
                                             .example = "full",
                                             .default_value = "full",
                                             .choices = sets}};
constexpr std::array scenario_keys_of_drill{
    KeyDescription{.name = "values",
                   .kind = KeyKind::text_list,
                   .summary = "as with run --set: key=value",
                   .example = "[\"recover_to=immediate\"]",
                   .required = true}};
constexpr std::array wrapper_keys{
    KeyDescription{.name = "when",
                   .summary = "shell pattern on its arguments",
                   .example = "\"*archive-get*\"",
                   .required = true},
    KeyDescription{.name = "segment",
                   .summary = "names @segment@: first, last, middle, backup_start, switch",
                   .example = "middle"},
    KeyDescription{
        .name = "deed", .summary = "shell commands", .example = "exit 103", .required = true}};

constexpr std::array deed_keys{KeyDescription{
    .name = "deed", .summary = "shell commands", .example = "ulimit -v 200000", .required = true}};

constexpr auto table = std::to_array<DamageDescription>({
    {"sql", "statements on the primary before its backup", running, sql_keys, run_sql},
    {"flip_bits", "a bit of a page is turned", stopped, flip_keys, flip_bits},
    {"zero_page", "a page holds nothing but zeroes", stopped, page_keys, zero_page},
    {"tear_page", "a page's second half is that of an earlier version", stopped, page_keys,
     tear_page},
    {"lose_write", "a page is an earlier version of itself", stopped, page_keys, lose_write},
    {"misplace_page", "a sound page stands at the place of another", stopped, misplace_keys,
     misplace_page},
    {"future_row", "a row was inserted by a transaction that is not yet", stopped, page_keys,
     put_row_in_the_future},
    {"lose_row", "a row's line pointer is dead, its index entry is not", stopped, page_keys,
     lose_row},
    {"enlarge", "a relation goes on in a second file, behind a gigabyte", stopped, relation_keys,
     enlarge},
    {"remove_file", "a relation's file is gone", stopped, remove_keys, remove_data_file},
    {"truncate_file", "a relation's file is cut off", stopped, truncate_keys, truncate_data_file},
    {"abort_transaction", "pg_xact calls a committed transaction aborted", stopped, xact_keys,
     abort_transaction},
    {"remove_database", "a database's directory is gone", stopped, database_keys, remove_database},
    {"cut_file", "a relation's file ends within a page", stopped, file_keys, cut_file},
    {"disable_checksums",
     "the cluster has no page checksums any more",
     stopped,
     {},
     disable_checksums},
    {"expect_rows", "rows that were added before the damage", running, row_keys, expect_rows},
    {"remove_configuration",
     "postgresql.conf is not in the data directory",
     running,
     {},
     remove_configuration},
    {"sql_after_backup", "statements on the primary after its backup", after_backup, sql_keys,
     run_sql},
    {"make_directory", "a directory for a tablespace, named @directory@", running, directory_keys,
     make_directory},
    {"configure_after_work", "a line in postgresql.conf after the last work was archived",
     after_work, configuration_keys, change_configuration},
    {"sql_after_work", "statements on the primary after its last work was archived", after_work,
     sql_keys, run_sql},
    {"configure", "a line in the primary's postgresql.conf", running, configuration_keys,
     change_configuration},
    {"configure_after_backup", "the same after the backup", after_backup, configuration_keys,
     change_configuration},
    {"remove_segment", "a WAL segment is gone", repository, segment_keys, remove_segment},
    {"flip_segment", "a bit of a WAL segment is turned", repository, segment_keys, flip_segment},
    {"truncate_segment", "the second half of a WAL segment is gone", repository, segment_keys,
     truncate_segment},
    {"duplicate_segment", "a WAL segment is there twice, with different content", repository,
     segment_keys, duplicate_segment},
    {"replace_segment", "a WAL segment has another cluster's content", repository, segment_keys,
     replace_segment},
    {"add_timeline", "another timeline that nobody asked for", repository, branch_keys,
     add_timeline},
    {"remove_history", "a history file is gone", repository, history_keys, remove_history},
    {"damage_record", "a record of the repository's own is lost or damaged", repository,
     record_keys, damage_repository_file},
    {"damage_backup", "a file of a set is lost or damaged", repository, backup_keys,
     damage_backup_file},
    {"remove_backup", "a set is removed by hand", repository, set_keys, remove_backup},
    {"forbid", "the drill may not read a part of the repository", repository, part_keys, forbid},
    {"upgrade_stanza", "another cluster took the stanza over", repository, {}, upgrade_stanza},
    {"use_other_cluster", "the drill is pointed at another cluster", drill, other_keys,
     use_other_cluster},
    {"change_option", "an option in pgBackRest's configuration", drill, option_keys,
     change_pgbackrest_option},
    {"shrink_disk", "the sandbox lies on a small file system", drill, disk_keys, shrink_disk},
    {"change_passphrase", "the configuration has another passphrase", drill, {}, change_passphrase},
    {"scenario", "values of the scenario", drill, scenario_keys_of_drill, change_scenario},
    {"wrap_postgres", "something happens before each start of the server", drill, deed_keys,
     wrap_postgres},
    {"wrap_pgbackrest", "pgBackRest does something else now and then", drill, wrapper_keys,
     wrap_pgbackrest},
});

}  // namespace

std::span<const DamageDescription> damage_table() { return table; }

const DamageDescription* find_damage(std::string_view name) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const auto& row) { return row.name == name; });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace pgrehearse
