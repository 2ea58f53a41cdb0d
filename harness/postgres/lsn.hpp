// WAL positions, segment names and timelines: PostgreSQL's own arithmetic (xlog_internal.h).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

struct Lsn {
  std::uint64_t value = 0;
  auto operator<=>(const Lsn&) const = default;
};

// "0/5000028"; nullopt if it is none.
std::optional<Lsn> parse_lsn(std::string_view text);
std::string to_text(Lsn lsn);

using Timeline = std::uint32_t;

// One WAL segment file: its timeline and its number (LSN divided by the segment size).
struct WalSegment {
  Timeline timeline = 0;
  std::uint64_t number = 0;
  auto operator<=>(const WalSegment&) const = default;
};

// Exactly 24 hexadecimal digits. Segment size in bytes.
std::optional<WalSegment> parse_wal_segment(std::string_view name, std::uint64_t segment_size);
std::string file_name(WalSegment segment, std::uint64_t segment_size);
// The segment that holds the byte at `lsn`.
WalSegment segment_at(Timeline timeline, Lsn lsn, std::uint64_t segment_size);
Lsn start_of(WalSegment segment, std::uint64_t segment_size);

// One line of a history file: `timeline` ended at `switch_lsn`.
struct TimelineSwitch {
  Timeline timeline = 0;
  Lsn switch_lsn;
};

// The ancestors of a timeline, oldest first, as its history file lists them.
// Throws Error(repository) on a line that is neither a comment nor an entry.
std::vector<TimelineSwitch> parse_timeline_history(std::string_view text);

}  // namespace pgrehearse
