// The engine sends a command's two output streams over one connection, in frames of eight bytes of
// header (stream, three zeros, length) and as many of payload.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace pgrehearse {

class StreamFrames {
 public:
  enum class Stream : std::uint8_t { output = 1, error = 2 };
  using Receiver = std::function<void(Stream stream, std::string_view payload)>;

  explicit StreamFrames(Receiver receiver) : receiver_(std::move(receiver)) {}
  // Pieces may be cut anywhere; payload is passed on as it comes.
  void take(std::string_view piece);

 private:
  Receiver receiver_;
  std::string header_;
  std::uint64_t left_ = 0;  // of the current frame's payload
  Stream stream_ = Stream::output;
};

}  // namespace pgrehearse
