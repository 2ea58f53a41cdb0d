// Files that ship inside the binary; scenarios/CMakeLists.txt makes a constant of each.
#pragma once

#include <string_view>

namespace pgrehearse::embedded {

extern const std::string_view demo_schema_sql;     // demo/schema.sql
extern const std::string_view demo_work_sql;       // demo/work.sql
extern const std::string_view demo_scenario_yaml;  // demo/demo.yaml

}  // namespace pgrehearse::embedded
