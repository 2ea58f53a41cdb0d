#include "harness/copies/table_diff.hpp"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "harness/copies/copy_text.hpp"
#include "harness/copies/rescue_files.hpp"
#include "tests/fakes/directory_sandbox.hpp"

namespace pgrehearse {
namespace {

using Rows = std::vector<std::string>;

class TableDiffTest : public testing::Test {
 protected:
  DiffCounts compare(const Rows& copy, const Rows& other, const std::vector<std::string>& key,
                     std::uint64_t bytes = 0) {
    TableDiff diff({"id", "name"}, key, sandbox.paths().temporary, bytes);
    for (const auto& row : copy) diff.add_copy_row(row);
    for (const auto& row : other) diff.add_other_row(row);
    return diff.compare([&](RowDifference kind, std::string_view left, std::string_view right) {
      found.insert(fmt::format("{} {}|{}", static_cast<int>(kind), left, right));
    });
  }
  DirectorySandbox sandbox;
  std::multiset<std::string> found;
};

TEST_F(TableDiffTest, ComparesByPrimaryKey) {
  const auto counts = compare({"1\ta", "2\tb", "3\tc"}, {"1\ta", "3\tC", "4\td"}, {"id"});
  EXPECT_EQ(found, (std::multiset<std::string>{"0 2\tb|", "1 3\tc|3\tC", "2 |4\td"}));
  EXPECT_EQ(counts.copy, 3U);
  EXPECT_EQ(counts.other, 3U);
  EXPECT_EQ(counts.equal, 1U);
  EXPECT_FALSE(counts.same());
}

TEST_F(TableDiffTest, CountsEqualRowsWithoutAPrimaryKey) {
  const auto counts = compare({"1\ta", "1\ta", "1\ta", "2\tb"}, {"1\ta", "2\tb", "2\tb"}, {});
  EXPECT_EQ(found, (std::multiset<std::string>{"0 1\ta|", "0 1\ta|", "2 |2\tb"}));
  EXPECT_EQ(counts.equal, 2U);
}

TEST_F(TableDiffTest, ManyPartitionsGiveTheSameResult) {
  Rows copy;
  Rows other;
  for (int i = 0; i < 2000; ++i) {
    copy.push_back(fmt::format("{}\tx", i));
    if (i % 100 != 0) other.push_back(copy.back());
  }
  const auto counts = compare(copy, other, {"id"}, std::uint64_t{1} << 40U);
  EXPECT_EQ(counts.only_in_copy, 20U);
  EXPECT_EQ(counts.equal, 1980U);
  EXPECT_TRUE(compare(copy, copy, {"id"}).same());
}

TEST(CopyText, DecodesFields) {
  EXPECT_EQ(decode_copy_field("a\\tb\\n\\\\c"), "a\tb\n\\c");
  EXPECT_EQ(decode_copy_field("\\N"), std::nullopt);
  EXPECT_EQ(decode_copy_field(""), "");
  EXPECT_EQ(sql_literal("it's"), "'it''s'");
  EXPECT_EQ(sql_literal("back\\\\slash"), "'back\\slash'");
  EXPECT_EQ(sql_literal("\\N"), "NULL");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("\\N"), "");
  EXPECT_EQ(csv_field(""), "\"\"");
}

TEST(RescueSql, InsertsInOneTransactionAndNamesTriggers) {
  std::ostringstream out;
  RescueSql sql(out, {.table = {"shop", "public", "orders"},
                      .copy = "copy 1",
                      .primary = {.triggers = {"audit\n(BEFORE INSERT)"},
                                  .references = {"fk: FOREIGN KEY (c) REFERENCES customers(id)"}},
                      .columns = {"id", "Odd\"name"}});
  sql.add("1\tit's");
  sql.add("2\t\\N");
  sql.finish({.changed = 3});
  const auto text = out.str();
  EXPECT_NE(
      text.find("insert into \"public\".\"orders\" (\"id\", \"Odd\"\"name\") overriding system "
                "value values\n  ('1', 'it''s')\n  on conflict do nothing;"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("('2', NULL)"), std::string::npos) << text;
  EXPECT_LT(text.find("begin;"), text.find("insert into"));
  EXPECT_GT(text.find("commit;"), text.rfind("insert into"));
  EXPECT_NE(text.find("FOREIGN KEY (c)"), std::string::npos) << text;
  // A name with a line feed must not end the comment.
  for (const auto& line : {"(BEFORE INSERT)"})
    EXPECT_EQ(text.find(std::string("\n") + line), std::string::npos) << text;
  EXPECT_NE(text.find("2 rows. Not in this file: 3 rows"), std::string::npos) << text;
}

}  // namespace
}  // namespace pgrehearse
