// The functions of the damage table, grouped by what they damage.
#pragma once

#include "harness/faults/damage/damage.hpp"

namespace pgrehearse {

// primary_damage.cpp: through SQL
void run_sql(InjectionSite& site, const Settings& settings);
void expect_rows(InjectionSite& site, const Settings& settings);
void make_directory(InjectionSite& site, const Settings& settings);
void change_configuration(InjectionSite& site, const Settings& settings);
void remove_configuration(InjectionSite& site, const Settings& settings);
void configure_pgbackrest(InjectionSite& site, const Settings& settings);
void back_up_offline(InjectionSite& site, const Settings& settings);
void archive_wal(InjectionSite& site, const Settings& settings);
void damage_wal(InjectionSite& site, const Settings& settings);

// file_damage.cpp: the primary's files
void flip_bits(InjectionSite& site, const Settings& settings);
void zero_page(InjectionSite& site, const Settings& settings);
void tear_page(InjectionSite& site, const Settings& settings);
void lose_write(InjectionSite& site, const Settings& settings);
void misplace_page(InjectionSite& site, const Settings& settings);
void set_future_xmin(InjectionSite& site, const Settings& settings);
void lose_row(InjectionSite& site, const Settings& settings);
void enlarge(InjectionSite& site, const Settings& settings);
void remove_data_file(InjectionSite& site, const Settings& settings);
void truncate_data_file(InjectionSite& site, const Settings& settings);
void remove_database(InjectionSite& site, const Settings& settings);
void cut_file(InjectionSite& site, const Settings& settings);
void disable_checksums(InjectionSite& site, const Settings& settings);
void abort_transaction(InjectionSite& site, const Settings& settings);

// archive_damage.cpp
void remove_segment(InjectionSite& site, const Settings& settings);
void flip_segment(InjectionSite& site, const Settings& settings);
void truncate_segment(InjectionSite& site, const Settings& settings);
void duplicate_segment(InjectionSite& site, const Settings& settings);
void replace_segment(InjectionSite& site, const Settings& settings);
void add_timeline(InjectionSite& site, const Settings& settings);
void remove_history(InjectionSite& site, const Settings& settings);

// repository_damage.cpp
void damage_repository_file(InjectionSite& site, const Settings& settings);
void damage_backup_file(InjectionSite& site, const Settings& settings);
void remove_backup(InjectionSite& site, const Settings& settings);
void forbid(InjectionSite& site, const Settings& settings);
void upgrade_stanza(InjectionSite& site, const Settings& settings);

// drill_damage.cpp
void change_scenario(InjectionSite& site, const Settings& settings);
void use_other_cluster(InjectionSite& site, const Settings& settings);
void change_option(InjectionSite& site, const Settings& settings);
void change_passphrase(InjectionSite& site, const Settings& settings);
void wrap_tool(InjectionSite& site, const Settings& settings);
void wrap_postgres(InjectionSite& site, const Settings& settings);
void shrink_disk(InjectionSite& site, const Settings& settings);

}  // namespace pgrehearse
