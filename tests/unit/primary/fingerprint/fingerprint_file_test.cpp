#include "harness/primary/fingerprint/fingerprint_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "harness/common/error.hpp"
#include "harness/primary/fingerprint/raw_names.hpp"

namespace pgrehearse {
namespace {

using testing::HasSubstr;

const FingerprintHeader header{.system_identifier = 18446744073709551615U,
                               .server_version = 150004,
                               .timeline = 3,
                               .taken = *parse_instant("2026-11-21T03:00:00Z"),
                               .source = "host=db1",
                               .sample = {.percentage = 1.5, .seed = 42}};

DatabaseFingerprint shop() {
  return {.database = "shop",
          .exact = true,
          .method = "slot",
          .explanation = "exported with the slot",
          .lsn = *parse_lsn("1/A0"),
          .exclusive = true,
          .in_flight = {1000, 5'000'000'000},
          .with_cluster = true};
}

std::string sample_file() {
  std::ostringstream out;
  FingerprintWriter writer(out, header);
  writer.write(shop());
  writer.write(CatalogEntry{
      .kind = "function", .identity = "public.\"f\"(int4)", .definition = R"({"body":"a\"b"})"});
  writer.write(CatalogGap{.kind = "user mapping", .error = "permission denied"});
  writer.write(SequenceState{.name = "public.s",
                             .increment = -2,
                             .cycles = true,
                             .before = SequenceReading{.last_value = 9223372036854775807,
                                                       .logged_ahead = 32,
                                                       .called = true,
                                                       .file_node = 16390},
                             .error = "gone"});
  writer.write(RelationContent{.name = "public.orders",
                               .hash = "-2175835746466099956557",
                               .withheld = {"secret"},
                               .rows = 7,
                               .pages = 12,
                               .oid = 16384,
                               .file_node = 16401,
                               .coverage = Coverage::sampled,
                               .as_text = true});
  writer.write(RelationContent{.name = "public.later",
                               .error = "budget.time is used up",
                               .oid = 16385,
                               .coverage = Coverage::none,
                               .cause = Uncovered::budget});
  writer.write(DatabaseFingerprint{.database = "zoo", .error = "no connection"});
  writer.finish();
  return out.str();
}

FingerprintReader reader_of(const std::string& text) {
  return {std::make_unique<std::istringstream>(text), "test.jsonl"};
}

std::string message_of(const std::string& text) {
  try {
    auto reader = reader_of(text);
    databases_of(reader);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "no error";
}

TEST(FingerprintFile, ReadsBackWhatWasWritten) {
  auto reader = reader_of(sample_file());
  EXPECT_EQ(reader.header().system_identifier, header.system_identifier);
  EXPECT_EQ(reader.header().taken, header.taken);
  EXPECT_EQ(reader.header().sample.seed, 42);
  EXPECT_EQ(reader.header().sample.percentage, 1.5);

  const auto database = std::get<DatabaseFingerprint>(*reader.next());
  EXPECT_EQ(database.lsn, shop().lsn);
  EXPECT_TRUE(database.exact && database.exclusive && database.with_cluster);
  EXPECT_EQ(database.in_flight, shop().in_flight);
  const auto entry = std::get<CatalogEntry>(*reader.next());
  EXPECT_EQ(entry.identity, "public.\"f\"(int4)");
  EXPECT_EQ(entry.definition, R"({"body":"a\"b"})");
  EXPECT_EQ(std::get<CatalogGap>(*reader.next()).kind, "user mapping");
  const auto sequence = std::get<SequenceState>(*reader.next());
  EXPECT_EQ(sequence.before->last_value, 9223372036854775807);
  EXPECT_FALSE(sequence.after);
  EXPECT_TRUE(sequence.cycles);
  const auto orders = std::get<RelationContent>(*reader.next());
  EXPECT_EQ(orders.hash, "-2175835746466099956557");
  EXPECT_EQ(orders.withheld, std::vector<std::string>{"secret"});
  EXPECT_EQ(orders.coverage, Coverage::sampled);
  EXPECT_TRUE(orders.as_text);
  EXPECT_EQ(std::get<RelationContent>(*reader.next()).cause, Uncovered::budget);
  EXPECT_EQ(std::get<DatabaseFingerprint>(*reader.next()).error, "no connection");
  EXPECT_EQ(reader.next(), nullptr);
  EXPECT_EQ(reader.next(), nullptr);
}

TEST(FingerprintFile, FindsADatabase) {
  auto reader = reader_of(sample_file());
  ASSERT_TRUE(reader.seek("zoo"));
  EXPECT_EQ(std::get<DatabaseFingerprint>(*reader.next()).database, "zoo");
  EXPECT_EQ(reader.next(), nullptr);
  auto another = reader_of(sample_file());
  EXPECT_FALSE(another.seek("shop2"));
}

TEST(FingerprintFile, DetectsTruncation) {
  const auto text = sample_file();
  std::size_t end = 0;
  // After each line but the last.
  for (end = text.find('\n'); end + 1 < text.size(); end = text.find('\n', end + 1)) {
    EXPECT_THAT(message_of(text.substr(0, end + 1)), HasSubstr("truncated"));
  }
  EXPECT_EQ(message_of(text), "no error");
  EXPECT_THAT(message_of(text.substr(0, text.size() - 10)), HasSubstr("not a fingerprint"));
}

TEST(FingerprintFile, DetectsAMissingLine) {
  auto text = sample_file();
  const auto begin = text.find(R"({"relation":"public.later")");
  text.erase(begin, text.find('\n', begin) + 1 - begin);
  EXPECT_THAT(message_of(text), HasSubstr("says 2 relations, the file has 1"));
}

TEST(FingerprintFile, RejectsOtherFilesWithTheLine) {
  EXPECT_THAT(message_of(""), HasSubstr("test.jsonl:0: not a fingerprint: empty"));
  EXPECT_THAT(message_of("hello\n"), HasSubstr("test.jsonl:1"));
  EXPECT_THAT(message_of(R"({"schema": "pgrehearse.fingerprint/2"})"), HasSubstr("fingerprint/2"));
  auto text = sample_file();
  text.insert(text.find('\n') + 1, "{\"surprise\": 1}\n");
  EXPECT_THAT(message_of(text), HasSubstr("test.jsonl:2: not a fingerprint: unknown kind"));
}

TEST(FingerprintFile, RejectsDamagedLines) {
  auto text = sample_file();
  text.insert(text.find('\n') + 1, "{\"database\" x\n");
  auto reader = reader_of(text);
  EXPECT_THROW(reader.seek("zoo"), Error);
  const std::string deep = std::string(500000, '[') + std::string(500000, ']');
  text = sample_file();
  text.insert(text.find('\n') + 1, R"({"entry":["table","t"],"definition":)" + deep + "}\n");
  EXPECT_THAT(message_of(text), HasSubstr("test.jsonl:2: not a fingerprint: a line is nested too"));
}

TEST(RawNames, BytesThatAreNotUtf8SurviveJson) {
  const std::string name = "caf\xe9 \xc3\xa9 \x81\xff\xc0\xed\xa0\x80 \xf0\x9f\x90\x98";
  const auto escaped = escape_raw_bytes(name);
  EXPECT_EQ(unescape_raw_bytes(escaped), name);
  EXPECT_EQ(escape_raw_bytes(escaped), escaped) << "it is valid UTF-8";
  EXPECT_EQ(escape_raw_bytes("plain \xc3\xa9"), "plain \xc3\xa9");
}

}  // namespace
}  // namespace pgrehearse
