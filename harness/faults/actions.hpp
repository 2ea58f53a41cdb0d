// The actions behind the table of damage: one function each, in the file of what it damages.
#pragma once

#include "harness/faults/damage.hpp"

namespace pgrehearse {

// primary_damage.cpp: through SQL
void run_sql(PlantingSite& site, const Settings& settings);
void expect_rows(PlantingSite& site, const Settings& settings);
void make_directory(PlantingSite& site, const Settings& settings);
void change_configuration(PlantingSite& site, const Settings& settings);
void remove_configuration(PlantingSite& site, const Settings& settings);

// file_damage.cpp: the primary's files
void flip_bits(PlantingSite& site, const Settings& settings);
void zero_page(PlantingSite& site, const Settings& settings);
void tear_page(PlantingSite& site, const Settings& settings);
void lose_write(PlantingSite& site, const Settings& settings);
void misplace_page(PlantingSite& site, const Settings& settings);
void put_row_in_the_future(PlantingSite& site, const Settings& settings);
void lose_row(PlantingSite& site, const Settings& settings);
void enlarge(PlantingSite& site, const Settings& settings);
void remove_data_file(PlantingSite& site, const Settings& settings);
void truncate_data_file(PlantingSite& site, const Settings& settings);
void remove_database(PlantingSite& site, const Settings& settings);
void cut_file(PlantingSite& site, const Settings& settings);
void disable_checksums(PlantingSite& site, const Settings& settings);
void abort_transaction(PlantingSite& site, const Settings& settings);

// archive_damage.cpp
void remove_segment(PlantingSite& site, const Settings& settings);
void flip_segment(PlantingSite& site, const Settings& settings);
void truncate_segment(PlantingSite& site, const Settings& settings);
void duplicate_segment(PlantingSite& site, const Settings& settings);
void replace_segment(PlantingSite& site, const Settings& settings);
void add_timeline(PlantingSite& site, const Settings& settings);
void remove_history(PlantingSite& site, const Settings& settings);

// repository_damage.cpp
void damage_repository_file(PlantingSite& site, const Settings& settings);
void damage_backup_file(PlantingSite& site, const Settings& settings);
void remove_backup(PlantingSite& site, const Settings& settings);
void forbid(PlantingSite& site, const Settings& settings);
void upgrade_stanza(PlantingSite& site, const Settings& settings);

// drill_damage.cpp
void change_scenario(PlantingSite& site, const Settings& settings);
void use_other_cluster(PlantingSite& site, const Settings& settings);
void change_pgbackrest_option(PlantingSite& site, const Settings& settings);
void change_passphrase(PlantingSite& site, const Settings& settings);
void wrap_pgbackrest(PlantingSite& site, const Settings& settings);
void wrap_postgres(PlantingSite& site, const Settings& settings);
void shrink_disk(PlantingSite& site, const Settings& settings);

}  // namespace pgrehearse
