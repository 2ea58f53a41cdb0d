#include "harness/faults/damage/manifest_files.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

TEST(ManifestFiles, NameTheBackupThatStoresEachFile) {
  const auto files = read_manifest(
      "[backup:target]\npg_data={\"path\":\"/data\",\"type\":\"path\"}\n\n[target:file]\n"
      "pg_data/PG_VERSION={\"bni\":1,\"checksum\":\"58\",\"size\":3,\"timestamp\":1795280704}\n"
      "pg_data/base/5/16384={\"checksum\":\"98\",\"reference\":\"20261121-170603F\","
      "\"repo-size\":103,\"size\":8192,\"timestamp\":1795280704}\n"
      "pg_data/base/5/broken={\"size\":\n"
      "\n[target:file:default]\ngroup=\"postgres\"\n");
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].name, "pg_data/PG_VERSION");
  EXPECT_TRUE(files[0].bundled);
  EXPECT_TRUE(files[0].backup.empty());
  EXPECT_EQ(files[1].backup, "20261121-170603F");
  EXPECT_EQ(files[1].size, 8192U);
  EXPECT_FALSE(files[1].bundled);
}

}  // namespace
}  // namespace pgrehearse
