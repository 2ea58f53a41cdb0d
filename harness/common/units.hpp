// Types with units: sizes are Bytes, durations are std::chrono types, instants are UTC time points
// of system_clock.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgrehearse {

struct Bytes {
  std::uint64_t count = 0;
  auto operator<=>(const Bytes&) const = default;
};

// ", 23.3 MB/s"; empty while too little has passed.
std::string rate_in_words(Bytes done, std::chrono::duration<double> elapsed);

using Instant = std::chrono::system_clock::time_point;
using Seconds = std::chrono::duration<double>;

// "2GB", "512MB", "64kB", "1024" (bytes); powers of 1024 as in PostgreSQL. nullopt if invalid.
std::optional<Bytes> parse_bytes(std::string_view text);
// "1.5 GB"
std::string to_text(Bytes size);

// "30min", "10s", "250ms", "2h", "1d", also "1h30min". nullopt if invalid; the unit is required.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// "1h 2min", "3min 4s", "12.3s", "45ms"
std::string to_text(Seconds span);

// ISO 8601 in UTC with microseconds: "2026-11-20T03:00:00.000000Z".
std::string to_iso8601(Instant instant);
// Accepts ISO 8601 and PostgreSQL's "2026-11-20 03:00:00.123456+00[:30]", 1970 to 2261. nullopt
// if invalid; the time zone is required.
std::optional<Instant> parse_instant(std::string_view text);
// "2026-11-20 03:00:00.123456+00", as PostgreSQL accepts it.
std::string to_postgres_timestamp(Instant instant);
// For people: "2026-11-20 03:00:00 UTC", with a fraction only if there is one; with another offset
// "2026-11-20 04:00:00+01:00".
std::string to_text(Instant instant, std::chrono::minutes utc_offset = {});
// The offset that a valid time was written with.
std::chrono::minutes utc_offset_of(std::string_view text);

}  // namespace pgrehearse
