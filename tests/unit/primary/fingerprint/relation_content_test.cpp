#include "harness/primary/fingerprint/relation_content.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

RelationContent orders() {
  return {.name = "public.orders", .oid = 16384, .coverage = Coverage::full};
}

TEST(RelationContent, ReadsAccordingToTheCoverage) {
  auto relation = orders();
  EXPECT_EQ(content_sql(relation, {}, {}),
            "select count(*), sum(hash_array_extended(array[record_send(t.*)], 0)), "
            "pg_relation_filenode('public.orders'::regclass) from only public.orders t");
  relation.coverage = Coverage::counted;
  EXPECT_EQ(content_sql(relation, {}, {}),
            "select count(*), null, pg_relation_filenode('public.orders'::regclass) from only "
            "public.orders t");
  relation.coverage = Coverage::sampled;
  relation.as_text = true;
  EXPECT_EQ(content_sql(relation, {.percentage = 0.5, .seed = 9}, {}),
            "select count(*), sum(hashtextextended(record_out(t.*)::text collate \"C\", 0)), "
            "pg_relation_filenode('public.orders'::regclass) from only public.orders t "
            "tablesample system (0.5) repeatable (9)");
}

TEST(RelationContent, OmitsExcludedColumns) {
  auto relation = orders();
  relation.withheld = {"secret"};
  EXPECT_EQ(content_sql(relation, {}, std::vector<std::string>{"id", "\"Note\""}),
            "select count(*), "
            "sum(hash_array_extended(array[record_send(row(t.id, t.\"Note\"))], 0)), "
            "pg_relation_filenode('public.orders'::regclass) from only public.orders t");
}

}  // namespace
}  // namespace pgrehearse
