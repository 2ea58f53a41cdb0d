#include "harness/http/mail.hpp"

#include <gmock/gmock.h>

#include "harness/http/base64.hpp"

namespace pgrehearse {
namespace {

using testing::HasSubstr;

TEST(MailTest, SubjectIsEncodedOnlyIfNeeded) {
  EXPECT_EQ(encoded_subject("FAIL weekly: x"), "FAIL weekly: x");
  EXPECT_EQ(encoded_subject("caf\xc3\xa9"), "=?utf-8?B?Y2Fmw6k=?=");
  EXPECT_EQ(encoded_subject("a\r\nBcc: x@y"), "=?utf-8?B?YQ0KQmNjOiB4QHk=?=");
}

TEST(MailTest, LongSubjectIsFoldedBetweenCharacters) {
  std::string subject;
  for (int i = 0; i < 40; ++i) subject += "\xc3\xa9";
  const auto encoded = encoded_subject(subject);
  EXPECT_THAT(encoded, HasSubstr("?=\r\n =?utf-8?B?"));
  // 22 whole characters of two bytes in the first word.
  std::string first;
  for (int i = 0; i < 22; ++i) first += "\xc3\xa9";
  EXPECT_THAT(encoded, HasSubstr("=?utf-8?B?" + base64(first) + "?="));
}

TEST(MailTest, ServerThatDoesNotRespondIsATemporaryError) {
  try {
    send_mail({.url = "smtp://127.0.0.1:1"}, {.from = "a@b", .to = {"c@d"}},
              std::chrono::seconds(5), {});
    FAIL() << "nothing listens there";
  } catch (const MailError& error) {
    EXPECT_TRUE(error.is_temporary());
  }
}

}  // namespace
}  // namespace pgrehearse
