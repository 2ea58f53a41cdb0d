#include "harness/common/time_zone.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/thrown_error.hpp"

namespace pgrehearse {
namespace {

const Instant now = *parse_instant("2026-11-20 22:30:00+00");

Instant at(const char* text) { return *parse_instant(text); }

TEST(TimeZone, ReadsTimesWithoutAZone) {
  const auto berlin = TimeZone::named("Europe/Berlin");
  EXPECT_EQ(berlin.instant_of("2026-11-20 14:05", now), at("2026-11-20 13:05:00+00"));
  EXPECT_EQ(berlin.instant_of("2026-07-01T14:05:30.5", now), at("2026-07-01 12:05:30.5+00"));
  EXPECT_EQ(TimeZone::named("Asia/Kolkata").instant_of("2026-11-20 14:05:00", now),
            at("2026-11-20 08:35:00+00"));
}

TEST(TimeZone, AClockTimeIsOfTodayInTheZone) {
  EXPECT_EQ(TimeZone::named("Europe/Berlin").instant_of("14:05", now),
            at("2026-11-20 13:05:00+00"));
  // It is the next day there already.
  EXPECT_EQ(TimeZone::named("Asia/Tokyo").instant_of("07:00", now), at("2026-11-20 22:00:00+00"));
}

TEST(TimeZone, RefusesAnHourThatOccursTwice) {
  const auto berlin = TimeZone::named("Europe/Berlin");
  const auto error = error_of([&] { (void)berlin.instant_of("2026-10-25 02:30", now); });
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_STREQ(error.what(), "2026-10-25 02:30:00 occurs twice in Europe/Berlin");
  EXPECT_EQ(error.hint(),
            "write \"2026-10-25 02:30:00+02\" (CEST) or \"2026-10-25 02:30:00+01\" (CET)");
}

TEST(TimeZone, RefusesAnHourThatDoesNotExist) {
  const auto berlin = TimeZone::named("Europe/Berlin");
  const auto error = error_of([&] { (void)berlin.instant_of("2026-03-29 02:30", now); });
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_NE(std::string(error.what()).find("does not exist"), std::string::npos) << error.what();
  EXPECT_EQ(error.hint(),
            "write \"2026-03-29 02:30:00+01\" (CET) or \"2026-03-29 02:30:00+02\" (CEST)");
}

TEST(TimeZone, RefusesWhatIsNoTimeAndUnknownZones) {
  const auto utc = TimeZone::named("UTC");
  for (const char* text : {"", "yesterday", "2026-13-01 00:00", "25:00", "2026-11-20"}) {
    EXPECT_EQ(error_of([&] { (void)utc.instant_of(text, now); }).kind(), ErrorKind::usage) << text;
  }
  EXPECT_EQ(error_of([] { TimeZone::named("Europe/Atlantis"); }).kind(), ErrorKind::usage);
}

TEST(TimeZone, ShowsBothZones) {
  const auto instant = at("2026-11-20 13:05:00+00");
  EXPECT_EQ(in_both_zones(instant, TimeZone::named("Europe/Berlin")),
            "2026-11-20 14:05:00 CET (13:05:00 UTC)");
  EXPECT_EQ(in_both_zones(instant, TimeZone::named("UTC")), "2026-11-20 13:05:00 UTC");
  EXPECT_EQ(in_both_zones(at("2026-11-20 23:05:00.25+00"), TimeZone::named("Europe/Berlin")),
            "2026-11-21 00:05:00.250000 CET (2026-11-20 23:05:00.250000 UTC)");
}

}  // namespace
}  // namespace pgrehearse
