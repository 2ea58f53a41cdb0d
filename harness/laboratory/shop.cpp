#include "harness/laboratory/shop.hpp"

#include <fmt/format.h>

#include "scenarios/embedded.hpp"

namespace pgrehearse {

void load_shop(Laboratory& laboratory, double factor, const std::stop_token& stop) {
  laboratory.run_script("schema", embedded::demo_schema_sql,
                        {{"factor", fmt::format("{}", factor)},
                         {"tablespace_directory", laboratory.paths().tablespaces}},
                        stop);
}

void work_in_shop(Laboratory& laboratory, double factor, int round, const std::stop_token& stop) {
  laboratory.run_script("work", embedded::demo_work_sql,
                        {{"factor", fmt::format("{}", factor)}, {"round", std::to_string(round)}},
                        stop);
}

}  // namespace pgrehearse
