#include "harness/sandbox/stream_frames.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace pgrehearse {
namespace {

std::string frame(char stream, const std::string& payload) {
  std::string bytes{stream, 0, 0, 0, 0, 0, 0, 0};
  bytes[6] = static_cast<char>(payload.size() >> 8U);
  bytes[7] = static_cast<char>(payload.size() & 0xFFU);
  return bytes + payload;
}

struct Heard {
  std::string output;
  std::string error;
};

Heard hear(const std::string& bytes, std::size_t piece) {
  Heard heard;
  StreamFrames frames([&](auto stream, auto payload) {
    (stream == StreamFrames::Stream::error ? heard.error : heard.output) += payload;
  });
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    frames.take(std::string_view(bytes).substr(at, piece));
  }
  return heard;
}

TEST(StreamFrames, StreamsAreToldApartWhereverThePiecesAreCut) {
  const std::string large(700, 'x');
  const auto bytes = frame(1, "one\n") + frame(2, "trouble\n") + frame(1, "") + frame(1, large);
  for (const std::size_t piece : {1U, 3U, 8U, 9U, 4096U}) {
    const auto heard = hear(bytes, piece);
    EXPECT_EQ(heard.output, "one\n" + large) << piece;
    EXPECT_EQ(heard.error, "trouble\n") << piece;
  }
}

TEST(StreamFrames, WhatBreaksOffIsPassedOnAsFarAsItCame) {
  const auto heard = hear(frame(1, "whole") + frame(1, "half").substr(0, 10), 4);
  EXPECT_EQ(heard.output, "wholeha");
}

}  // namespace
}  // namespace pgrehearse
