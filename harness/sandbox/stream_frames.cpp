#include "harness/sandbox/stream_frames.hpp"

#include <algorithm>

namespace pgrehearse {

namespace {

constexpr std::size_t header_size = 8;
constexpr std::size_t length_at = 4;

}  // namespace

void StreamFrames::take(std::string_view piece) {
  while (!piece.empty()) {
    if (left_ == 0) {
      const auto length = std::min(header_size - header_.size(), piece.size());
      header_ += piece.substr(0, length);
      piece.remove_prefix(length);
      if (header_.size() < header_size) return;
      for (std::size_t at = length_at; at < header_size; ++at) {
        left_ = left_ << 8U | static_cast<unsigned char>(header_[at]);
      }
      stream_ = header_[0] == 2 ? Stream::error : Stream::output;
      header_.clear();
      continue;
    }
    const auto length = std::min<std::uint64_t>(left_, piece.size());
    receiver_(stream_, piece.substr(0, length));
    piece.remove_prefix(length);
    left_ -= length;
  }
}

}  // namespace pgrehearse
