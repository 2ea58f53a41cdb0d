#include "harness/common/shell_words.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

TEST(ShellWords, AreQuotedOnlyWhereAShellNeedsIt) {
  EXPECT_EQ(shell_word("/var/lib/pgrehearse/demo.yaml"), "/var/lib/pgrehearse/demo.yaml");
  EXPECT_EQ(shell_word("/var/my drills"), "'/var/my drills'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word("$HOME;rm"), "'$HOME;rm'");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_command({"psql", "-h", "/tmp/a b", "-d", "shop"}), "psql -h '/tmp/a b' -d shop");
}

}  // namespace
}  // namespace pgrehearse
