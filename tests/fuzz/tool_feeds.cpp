#include "checks/parsers/amcheck_output.hpp"
#include "checks/parsers/checksums_output.hpp"
#include "checks/parsers/damage_messages.hpp"
#include "checks/parsers/recorded_counts.hpp"
#include "checks/parsers/server_configuration.hpp"
#include "harness/common/text.hpp"
#include "harness/common/units.hpp"
#include "harness/locate/wal_chunk.hpp"
#include "harness/postgres/control_data.hpp"
#include "harness/postgres/protocol/startup_packet.hpp"
#include "tests/fuzz/feeding.hpp"
#include "tests/fuzz/targets.hpp"

namespace pgrehearse {

void feed_postgres_tools(std::string_view input) {
  may_refuse([&] { parse_control_data(input); });
  const auto [output, errors] = parts_of<2>(input);
  parse_amcheck(output, errors);
  parse_amcheck_progress(output);
  parse_checksums(output, errors);
  parse_checksums_progress(output);
  parse_configuration(input);
  static_cast<void>(parse_startup_packet(input));
  constexpr std::uint64_t segment_size = std::uint64_t{16} << 20U;
  WalChunkReader reader({.database = 5, .watched = [](auto) { return true; }, .positions = {Lsn{}}},
                        segment_size);
  for (const auto line : lines_of(input)) reader.take(line);
  static_cast<void>(reader.finish());
  may_refuse([&] { parse_recorded_counts(std::string(input), "fuzz.json"); });
  static_cast<void>(tells_of_damage(input));
  static_cast<void>(tells_of_damaged_wal(input));
  // Values as written by people and tools.
  if (const auto size = parse_bytes(input)) static_cast<void>(to_text(*size));
  if (const auto span = parse_duration(input)) static_cast<void>(to_text(Seconds(*span)));
  if (const auto instant = parse_instant(input)) {
    must(parse_instant(to_iso8601(*instant)) == instant, "a time is read as it was written");
    must(parse_instant(to_postgres_timestamp(*instant)) == instant, "in PostgreSQL's form too");
  }
}

}  // namespace pgrehearse
