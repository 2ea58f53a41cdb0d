#include "checks/comparison/catalog_comparison.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace pgrehearse {
namespace {

using Entries = std::vector<CatalogEntry>;

CatalogEntry entry(std::string identity, std::string definition = "{}") {
  return {.kind = "table", .identity = std::move(identity), .definition = std::move(definition)};
}

// "-a +b !c": missing, extra, changed.
std::string merged(const Entries& expected, const Entries& actual) {
  std::string text;
  std::size_t at = 0;
  CatalogMerge merge({.peek = [&] { return at < expected.size() ? &expected[at] : nullptr; },
                      .pop = [&] { ++at; }},
                     {.missing = [&](const CatalogEntry& lost) { text += " -" + lost.identity; },
                      .extra = [&](const CatalogEntry& more) { text += " +" + more.identity; },
                      .changed = [&](const CatalogEntry& other,
                                     const CatalogEntry&) { text += " !" + other.identity; }});
  for (const auto& found : actual) merge.push(found);
  merge.finish();
  return text;
}

TEST(CatalogMerge, FindsWhatIsOnOneSideOnlyAndWhatDiffers) {
  const Entries some{entry("a"), entry("c"), entry("e")};
  EXPECT_EQ(merged(some, some), "");
  EXPECT_EQ(merged(some, {}), " -a -c -e");
  EXPECT_EQ(merged({}, some), " +a +c +e");
  EXPECT_EQ(merged(some, {entry("b"), entry("c"), entry("d"), entry("e"), entry("f")}),
            " -a +b +d +f");
  EXPECT_EQ(merged(some, {entry("a"), entry("c", "{\"x\":1}"), entry("e")}), " !c");
}

// The server orders by bytes (collation C): capitals and quotes before letters, UTF-8 last.
TEST(CatalogMerge, ComparesBytes) {
  const Entries some{entry("\"Q\""), entry("Z"), entry("a"), entry("\xc3\xa4")};
  EXPECT_EQ(merged(some, some), "");
}

TEST(CatalogDifference, NamesThePartsThatDiffer) {
  EXPECT_EQ(difference_of(R"({"owner":"a","columns":{"id":"1 int8","b":"2 text"}})",
                          R"({"owner":"z","columns":{"id":"1 int4","c":"2 text"}})"),
            "columns.b is missing (2 text); columns.c is extra (2 text); "
            "columns.id is 1 int4 instead of 1 int8; owner is z instead of a");
  EXPECT_EQ(difference_of(R"({"labels":["a","b"]})", R"({"labels":["a"]})"),
            R"(labels is ["a"] instead of ["a","b"])");
}

}  // namespace
}  // namespace pgrehearse
