#include "harness/postgres/protocol/startup_packet.hpp"

#include <gtest/gtest.h>

#include "harness/postgres/protocol/messages.hpp"

namespace pgrehearse {
namespace {

using Kind = StartupPacket::Kind;
using namespace std::string_literals;

const std::string protocol_3 = "\0\3\0\0"s;

TEST(StartupPacket, NamesTheUser) {
  const auto packet =
      parse_startup_packet(protocol_3 + "database\0shop\0user\0alice\0options\0-c a=b\0\0"s);
  EXPECT_EQ(packet.kind, Kind::startup);
  EXPECT_EQ(packet.user, "alice");
}

TEST(StartupPacket, ShowsAStandby) {
  const auto packet = parse_startup_packet(protocol_3 + "user\0r\0replication\0true\0\0"s);
  EXPECT_EQ(packet.replication, "true");
  EXPECT_EQ(parse_startup_packet(protocol_3 + "user\0replication\0\0"s).replication, "");
}

TEST(StartupPacket, TheLastUserCounts) {
  EXPECT_EQ(parse_startup_packet(protocol_3 + "user\0alice\0user\0postgres\0\0"s).user, "postgres");
}

TEST(StartupPacket, AcceptsNewerMinorVersions) {
  EXPECT_EQ(parse_startup_packet("\0\3\0\2user\0alice\0\0"s).kind, Kind::startup);
}

TEST(StartupPacket, KnowsTheOtherRequests) {
  EXPECT_EQ(parse_startup_packet("\x04\xd2\x16\x2f"s).kind, Kind::ssl_request);
  EXPECT_EQ(parse_startup_packet("\x04\xd2\x16\x30"s).kind, Kind::gss_request);
  EXPECT_EQ(parse_startup_packet("\x04\xd2\x16\x2e\0\0\0\1\0\0\0\2"s).kind, Kind::cancel_request);
}

TEST(StartupPacket, RefusesWhatIsNotWellFormed) {
  for (const auto& body :
       {""s, "\0\3"s, "\0\2\0\0user\0alice\0\0"s, protocol_3, protocol_3 + "user\0alice\0"s,
        protocol_3 + "user\0alice"s, protocol_3 + "user\0alice\0\0more"s}) {
    EXPECT_EQ(parse_startup_packet(body).kind, Kind::invalid) << body.size();
  }
}

TEST(StartupPacket, AnswersAsAServer) {
  EXPECT_EQ(cleartext_password_request(), "R\0\0\0\x08\0\0\0\3"s);
  const auto error = error_message("FATAL", "28000", "no");
  EXPECT_EQ(error.front(), 'E');
  EXPECT_EQ(number_from_wire(error.substr(1)), error.size() - 1);
  EXPECT_EQ(error.substr(5), "SFATAL\0VFATAL\0C28000\0Mno\0\0"s);
}

}  // namespace
}  // namespace pgrehearse
