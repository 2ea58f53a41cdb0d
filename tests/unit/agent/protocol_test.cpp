#include "harness/agent/protocol.hpp"

#include <gtest/gtest.h>

namespace pgrehearse::agent {
namespace {

TEST(AgentProtocolTest, RequestSurvivesSerialization) {
  const Request asked{.program = "sh",
                      .arguments = {"-c", "", "a\nb"},
                      .environment = {"PATH=/bin"},
                      .directory = "/tmp",
                      .input = std::string("a\0b", 3)};
  const auto got = request_from(to_bytes(asked));
  EXPECT_EQ(got.program, asked.program);
  EXPECT_EQ(got.arguments, asked.arguments);
  EXPECT_EQ(got.environment, asked.environment);
  EXPECT_EQ(got.directory, asked.directory);
  EXPECT_EQ(got.input, asked.input);
}

TEST(AgentProtocolTest, MessagesAreReassembledFromPieces) {
  const auto bytes = message(Message::output, "hello") + message(Message::ended, numbers(-1, 9));
  Messages messages;
  Message type{};
  std::string payload;
  std::string seen;
  for (const char byte : bytes) {
    messages.take({&byte, 1});
    if (!messages.next(type, payload)) continue;
    seen += type == Message::output ? payload : "|";
  }
  EXPECT_EQ(seen, "hello|");
  Reader reader(payload);
  EXPECT_EQ(static_cast<int>(reader.number()), -1);
  EXPECT_EQ(reader.number(), 9U);
}

TEST(AgentProtocolTest, MissingFieldsAreEmpty) {
  EXPECT_EQ(request_from("").program, "");
  EXPECT_TRUE(request_from("\xff\xff\xff\xff").arguments.empty());
  EXPECT_EQ(Reader("ab").number(), 0U);
}

}  // namespace
}  // namespace pgrehearse::agent
