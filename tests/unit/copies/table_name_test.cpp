#include "harness/copies/table_name.hpp"

#include <gtest/gtest.h>

#include "harness/copies/dump.hpp"
#include "tests/fakes/thrown_error.hpp"

namespace pgrehearse {
namespace {

TEST(TableName, HasThreeParts) {
  const auto name = parse_table_name("shop.public.orders");
  EXPECT_EQ(name, (TableName{"shop", "public", "orders"}));
  EXPECT_EQ(quoted(name), R"("public"."orders")");
  EXPECT_EQ(to_text(name), "shop.public.orders");
}

TEST(TableName, PartsMayBeQuoted) {
  EXPECT_EQ(parse_table_name(R"(shop."Odd.Schema"."a""b")"),
            (TableName{"shop", "Odd.Schema", "a\"b"}));
  EXPECT_EQ(quoted(parse_table_name(R"(shop.s."a""b")")), R"("s"."a""b")");
}

TEST(TableName, RefusesOtherForms) {
  for (const char* text : {"", "orders", "public.orders", "a.b.c.d", "a..c", "a.\"b.c", ".a.b"}) {
    EXPECT_EQ(error_of([&] { parse_table_name(text); }).kind(), ErrorKind::usage) << text;
  }
}

TEST(DumpRequest, NamesATableOrADatabase) {
  const auto table = parse_dump_request("shop.public.orders=out/orders.dump");
  EXPECT_EQ(table.database, "shop");
  EXPECT_EQ(table.pattern, R"("public"."orders")");
  EXPECT_EQ(table.file, "out/orders.dump");
  EXPECT_TRUE(parse_dump_request("shop=shop.dump").pattern.empty());
  for (const char* text : {"shop", "shop=", "public.orders=x", "=x"}) {
    EXPECT_EQ(error_of([&] { parse_dump_request(text); }).kind(), ErrorKind::usage) << text;
  }
  EXPECT_EQ(numbered("out/orders.dump", 2), "out/orders.2.dump");
}

}  // namespace
}  // namespace pgrehearse
