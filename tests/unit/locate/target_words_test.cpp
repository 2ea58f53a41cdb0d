#include "harness/locate/target_words.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/thrown_error.hpp"

namespace pgrehearse {
namespace {

const Instant now = *parse_instant("2026-11-20 22:30:00+00");
const TimeZone berlin = TimeZone::named("Europe/Berlin");

RecoveryTarget parsed(std::string_view words) { return parse_target(words, berlin, now); }

TEST(TargetWords, NamesEveryKindOfTarget) {
  EXPECT_EQ(parsed("latest").type, TargetType::latest);
  EXPECT_EQ(parsed("immediate").type, TargetType::immediate);
  EXPECT_EQ(parsed("0/5000028").lsn, (Lsn{0x5000028}));
  EXPECT_EQ(parsed("lsn:0/5000028").lsn, (Lsn{0x5000028}));
  EXPECT_EQ(parsed("xid:743").xid, 743U);
  EXPECT_FALSE(parsed("xid:743").exclusive);
  EXPECT_EQ(parsed("name:before release").name, "before release");
  EXPECT_EQ(parsed("2026-11-20 14:05").time, parse_instant("2026-11-20 13:05:00+00"));
  EXPECT_EQ(parsed("2026-11-20 14:05:00+00").time, parse_instant("2026-11-20 14:05:00+00"));
}

TEST(TargetWords, BeforeIsExclusive) {
  for (const char* words : {"before:743", "before:xid:743"}) {
    EXPECT_EQ(parsed(words).xid, 743U) << words;
    EXPECT_TRUE(parsed(words).exclusive) << words;
  }
  EXPECT_TRUE(parsed("before:0/5000028").exclusive);
  EXPECT_TRUE(parsed("before:2026-11-20 14:05").exclusive);
}

TEST(TargetWords, RefusesWhatCannotBeMeant) {
  for (const char* words : {"743", "before:latest", "before:name:x", "xid:2", "xid:4294967296",
                            "name:", "0/zz", "soon", ""}) {
    const auto error = error_of([&] { parsed(words); });
    EXPECT_EQ(error.kind(), ErrorKind::usage) << words;
    EXPECT_FALSE(error.hint().empty()) << words;
  }
}

TEST(TargetWords, AnAmbiguousTimeIsNotGuessed) {
  const auto error = error_of([] { parsed("2026-10-25 02:30"); });
  EXPECT_NE(std::string(error.what()).find("occurs twice"), std::string::npos) << error.what();
}

TEST(TargetWords, AreReadBack) {
  for (const char* words : {"latest", "immediate", "before:743", "xid:743", "name:x",
                            "before:0/5000028", "2026-11-20 13:05:00.000000+00"}) {
    EXPECT_EQ(target_word(parsed(words)), words);
  }
}

}  // namespace
}  // namespace pgrehearse
