// Files that ship inside the binary; scenarios/CMakeLists.txt makes a constant of each.
#pragma once

#include <span>
#include <string_view>

namespace pgrehearse::embedded {

extern const std::string_view demo_schema_sql;     // demo/schema.sql
extern const std::string_view demo_work_sql;       // demo/work.sql
extern const std::string_view demo_scenario_yaml;  // demo/demo.yaml
extern const std::string_view faults_schema_sql;   // faults/schema.sql
extern const std::string_view faults_work_sql;     // faults/work.sql
extern const std::string_view faults_drill_yaml;   // faults/drill.yaml

struct FaultFile {
  std::string_view name;  // "wal-segment-missing.yaml"
  std::string_view text;
};
// faults/catalogue/*.yaml, in the order of scenarios/CMakeLists.txt.
std::span<const FaultFile> fault_files();

}  // namespace pgrehearse::embedded
