#include "harness/reporting/printable.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

TEST(Printable, ShowsControlCharactersAndInvalidBytes) {
  EXPECT_EQ(printable("a\x1b[31mb\n\t\r"), "a\\x1b[31mb\\n\\t\\r");
  EXPECT_EQ(printable("\x7f\xc2\x9b"), "\\x7f\\u009b");  // C1: CSI in one character
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");        // not UTF-8, cut short
  EXPECT_EQ(printable("\xc0\x80\xed\xa0\x80"), "\\xc0\\x80\\xed\\xa0\\x80");  // overlong, surrogate
  EXPECT_EQ(printable("\xe0\x80\x8a"), "\\xe0\\x80\\x8a");  // an overlong line feed
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\u202e");          // right-to-left override
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(printable("\xc3\xa4 \xf0\x9f\x90\x98"), "\xc3\xa4 \xf0\x9f\x90\x98");
  EXPECT_EQ(printable_lines("a\n\tb\r"), "a\n\tb\\r");
  EXPECT_EQ(printable_on_one_line("a\n\tb\tc \r\nd\x1b\n"), "a b c d\\x1b");
}

TEST(Printable, MeasuresColumnsNotBytes) {
  EXPECT_EQ(columns_of("abc"), 3U);
  EXPECT_EQ(columns_of("\xc3\xa4"), 1U);
  EXPECT_EQ(columns_of("e\xcc\x81"), 1U);                 // combining accent
  EXPECT_EQ(columns_of("\xe6\xb3\xa8\xe6\x96\x87"), 4U);  // two wide characters
}

TEST(Printable, CutsBetweenCharacters) {
  EXPECT_EQ(cut_to("abcdef", 6), "abcdef");
  EXPECT_EQ(cut_to("abcdefg", 6), "abc...");
  EXPECT_EQ(cut_to("\xe6\xb3\xa8\xe6\x96\x87\xe6\xb3\xa8", 5), "\xe6\xb3\xa8...");
  EXPECT_EQ(cut_to("abcdefg", 2), "..");
}

TEST(Printable, WrapsAtBlanksAndBreaksOnlyLongWords) {
  using Lines = std::vector<std::string>;
  EXPECT_EQ(wrap("one two three", 7), (Lines{"one two", "three"}));
  EXPECT_EQ(wrap("a 0123456789 b", 4), (Lines{"a", "0123456789", "b"})) << "to be copied";
  EXPECT_EQ(wrap(std::string(450, 'x'), 80).size(), 6U) << "no path or label is that long";
  EXPECT_EQ(wrap("", 4), (Lines{""}));
  EXPECT_EQ(wrap("exact fit", 9), (Lines{"exact fit"}));
  EXPECT_EQ(wrap("one\n\ttwo\tthree\n\nfour", 20), (Lines{"one", "two three", "four"}));
}

TEST(Printable, CommandsInQuotesAreNeverBroken) {
  using Lines = std::vector<std::string>;
  EXPECT_EQ(wrap("run 'pgrehearse map weekly.yaml', then wait", 24),
            (Lines{"run", "'pgrehearse map weekly.yaml',", "then wait"}));
  EXPECT_EQ(wrap("use `pgbackrest --stanza=main info` now", 20),
            (Lines{"use", "`pgbackrest --stanza=main info`", "now"}));
  EXPECT_EQ(wrap("'not a command at all'", 10), (Lines{"'not a", "command at", "all'"}));
  EXPECT_EQ(wrap("'pgrehearse without an end", 12), (Lines{"'pgrehearse", "without an", "end"}));
}

TEST(Printable, PadsByColumns) {
  EXPECT_EQ(pad_right("\xc3\xa4", 3), "\xc3\xa4  ");
  EXPECT_EQ(pad_left("ab", 4), "  ab");
  EXPECT_EQ(pad_left("abcde", 4), "abcde");
}

}  // namespace
}  // namespace pgrehearse
