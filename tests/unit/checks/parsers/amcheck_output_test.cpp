// The outputs are pg_amcheck 15's own, from clusters damaged on purpose.
#include "checks/parsers/amcheck_output.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

constexpr auto damaged = R"(btree index "shop.public.plain_t":
    ERROR:  heap tuple (166,81) from table "plain" lacks matching index tuple within index "plain_t"
    HINT:  Retrying verification using the function bt_index_parent_check() might provide a more specific error.
heap table "shop.sales.far_table", block 1, offset 1:
    xmin 999999 equals or exceeds next valid transaction ID 0:729
heap table "shop.public.items", block 0, offset 1, attribute 1:
    toast value 16414 index scan returned chunk 77 when expecting chunk 2
heap table "shop.sales.Odd "Name":":
    ERROR:  invalid page in block 3 of relation base/16384/16394
)";

TEST(AmcheckOutput, NamesRelationAndPosition) {
  const auto output = parse_amcheck(damaged, "");
  ASSERT_EQ(output.complaints.size(), 4U);

  const auto& index = output.complaints[0];
  EXPECT_EQ(index.kind, AmcheckRelationKind::index);
  EXPECT_EQ(index.relation, "shop.public.plain_t");
  EXPECT_EQ(index.block, std::nullopt);
  EXPECT_EQ(index.message,
            "heap tuple (166,81) from table \"plain\" lacks matching index tuple within index "
            "\"plain_t\"");
  EXPECT_TRUE(index.hint.starts_with("Retrying verification"));

  const auto& heap = output.complaints[1];
  EXPECT_EQ(heap.kind, AmcheckRelationKind::heap);
  EXPECT_EQ(heap.relation, "shop.sales.far_table");
  EXPECT_EQ(heap.block, 1U);
  EXPECT_EQ(heap.offset, 1U);
  EXPECT_EQ(heap.attribute, std::nullopt);
  EXPECT_EQ(heap.message, "xmin 999999 equals or exceeds next valid transaction ID 0:729");

  EXPECT_EQ(output.complaints[2].attribute, 1U);
  EXPECT_EQ(output.complaints[3].relation, "shop.sales.Odd \"Name\":");
  EXPECT_FALSE(output.complaints[3].environment);
}

TEST(AmcheckOutput, DistinguishesDamageFromServerErrors) {
  const auto output = parse_amcheck(
      "btree index \"shop.public.plain_t\":\n    ERROR:  out of memory\n"
      "    DETAIL:  Failed on request of size 1024.\n"
      "heap table \"shop.public.plain\", block 3, offset 4:\n    tuple is out of memory range\n",
      "");
  ASSERT_EQ(output.complaints.size(), 2U);
  EXPECT_TRUE(output.complaints[0].environment);
  EXPECT_EQ(output.complaints[0].message,
            "out of memory; DETAIL:  Failed on request of size 1024.");
  EXPECT_FALSE(output.complaints[1].environment) << "what verify_heapam returns is about the data";
}

TEST(AmcheckOutput, ListsDatabasesWithoutTheExtension) {
  const auto output = parse_amcheck("",
                                    "pg_amcheck: warning: skipping database \"postgres\": amcheck "
                                    "is not installed\n"
                                    "pg_amcheck: error: no relations to check\n");
  EXPECT_EQ(output.without_extension, std::vector<std::string>{"postgres"});
  EXPECT_EQ(output.errors, std::vector<std::string>{"no relations to check"});
}

TEST(AmcheckOutput, KeepsErrorsAndIgnoresOtherLines) {
  const auto output = parse_amcheck(
      "",
      "NOTICE:  extension \"amcheck\" already exists, skipping\n"
      "WARNING:  page verification failed, calculated checksum 32786 but expected 28241\n"
      "  0/826 relations (0%),    0/2919 pages (0%)\n"
      "pg_amcheck: error: connection to server on socket \"/s/.s.PGSQL.5432\" failed: FATAL:  "
      "invalid page in block 0 of relation base/16384/1259\n");
  EXPECT_TRUE(output.complaints.empty());
  ASSERT_EQ(output.errors.size(), 1U);
  EXPECT_TRUE(output.errors[0].ends_with("invalid page in block 0 of relation base/16384/1259"));
}

TEST(AmcheckProgress, IsReadFromItsLines) {
  const auto start = parse_amcheck_progress("  0/826 relations (0%),    0/2919 pages (0%)");
  ASSERT_TRUE(start);
  EXPECT_EQ(start->relations, 826U);
  EXPECT_EQ(start->pages, 2919U);
  const auto end = parse_amcheck_progress("826/826 relations (100%), 2919/2919 pages (100%)");
  ASSERT_TRUE(end);
  EXPECT_EQ(end->relations_done, 826U);
  EXPECT_EQ(end->pages_done, 2919U);
  EXPECT_FALSE(parse_amcheck_progress("pg_amcheck: error: no relations to check"));
  EXPECT_FALSE(parse_amcheck_progress(""));
}

}  // namespace
}  // namespace pgrehearse
