#include "harness/postgres/lsn.hpp"

#include <fmt/format.h>

#include <charconv>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

template <typename Number>
std::optional<Number> parse_hex(std::string_view text) {
  Number value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (failure != std::errc{} || end != text.data() + text.size() || text.empty()) return {};
  return value;
}

std::uint64_t segments_per_id(std::uint64_t segment_size) { return 0x100000000ULL / segment_size; }

}  // namespace

std::optional<Lsn> parse_lsn(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return {};
  const auto high = parse_hex<std::uint32_t>(text.substr(0, slash));
  const auto low = parse_hex<std::uint32_t>(text.substr(slash + 1));
  if (!high || !low) return {};
  return Lsn{(std::uint64_t{*high} << 32U) | *low};
}

std::string to_text(Lsn lsn) {
  return fmt::format("{:X}/{:X}", lsn.value >> 32U, lsn.value & 0xFFFFFFFFU);
}

std::optional<WalSegment> parse_wal_segment(std::string_view name, std::uint64_t segment_size) {
  if (name.size() != 24) return {};
  const auto timeline = parse_hex<Timeline>(name.substr(0, 8));
  const auto id = parse_hex<std::uint32_t>(name.substr(8, 8));
  const auto part = parse_hex<std::uint32_t>(name.substr(16, 8));
  if (!timeline || !id || !part || *part >= segments_per_id(segment_size)) return {};
  return WalSegment{.timeline = *timeline, .number = *id * segments_per_id(segment_size) + *part};
}

std::string file_name(WalSegment segment, std::uint64_t segment_size) {
  const auto per_id = segments_per_id(segment_size);
  return fmt::format("{:08X}{:08X}{:08X}", segment.timeline, segment.number / per_id,
                     segment.number % per_id);
}

WalSegment segment_at(Timeline timeline, Lsn lsn, std::uint64_t segment_size) {
  return {.timeline = timeline, .number = lsn.value / segment_size};
}

Lsn start_of(WalSegment segment, std::uint64_t segment_size) {
  return {segment.number * segment_size};
}

std::vector<TimelineSwitch> parse_timeline_history(std::string_view text) {
  std::vector<TimelineSwitch> switches;
  for (const auto line : lines_of(text)) {
    const auto entry = trim(line);
    if (entry.empty() || entry.front() == '#') continue;
    const auto fields = split(entry, '\t');
    Timeline timeline = 0;
    const auto [end, failure] =
        std::from_chars(fields[0].data(), fields[0].data() + fields[0].size(), timeline);
    const auto lsn = fields.size() > 1 ? parse_lsn(trim(fields[1])) : std::nullopt;
    if (failure != std::errc{} || end != fields[0].data() + fields[0].size() || !lsn) {
      throw Error(ErrorKind::repository,
                  fmt::format("invalid line '{}' in a timeline history file", entry), {},
                  FindingCode::timeline_history);
    }
    switches.push_back({.timeline = timeline, .switch_lsn = *lsn});
  }
  return switches;
}

}  // namespace pgrehearse
