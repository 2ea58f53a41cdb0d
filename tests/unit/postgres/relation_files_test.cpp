#include "harness/postgres/relation_files.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

TEST(RelationFiles, NamesEveryForkAndSegment) {
  RelationFiles files;
  files.add("base/16384/16394", "shop.sales.\"Odd Name\"");
  files.add("pg_tblspc/16385/PG_15_202209061/16384/16401", "shop.sales.far_table");
  files.add("global/1262", "pg_catalog.pg_database");
  for (const auto* path : {"base/16384/16394", "base/16384/16394.12", "base/16384/16394_fsm",
                           "base/16384/16394_vm.1", "base/16384/16394_init"}) {
    EXPECT_EQ(files.relation_of(path), "shop.sales.\"Odd Name\"") << path;
  }
  EXPECT_EQ(files.relation_of("pg_tblspc/16385/PG_15_202209061/16384/16401.1"),
            "shop.sales.far_table");
  EXPECT_EQ(files.relation_of("global/1262"), "pg_catalog.pg_database");
}

TEST(RelationFiles, RejectsOtherFileNames) {
  RelationFiles files;
  files.add("base/16384/16394", "shop.public.items");
  for (const auto* path :
       {"base/16384/1639", "base/5/16394", "base/16384/pg_filenode.map", "16394", "", "base/"}) {
    EXPECT_EQ(files.relation_of(path), std::nullopt) << path;
  }
}

}  // namespace
}  // namespace pgrehearse
