#include "harness/repository/random_target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "harness/common/error.hpp"
#include "harness/common/sha256.hpp"

namespace pgrehearse {

namespace {

struct Position {
  Instant time;
  std::uint64_t lsn = 0;
};

// 0 to 1, the same for the same seed.
double lot_of(std::uint64_t seed) {
  constexpr int digits = 12;  // 48 bits: a double holds them
  const auto text = sha256_of(fmt::format("recovery target {}", seed)).substr(0, digits);
  return static_cast<double>(std::stoull(text, nullptr, 16)) /
         static_cast<double>(std::uint64_t{1} << 48U);
}

std::vector<Position> known_positions(const BackupList& list, const Backup& newest, Lsn end,
                                      Instant now) {
  std::vector<Position> positions;
  for (const auto& backup : list.backups) {
    const bool same_cluster = backup.system_identifier == newest.system_identifier &&
                              backup.database_id == newest.database_id;
    if (!same_cluster || !backup.stop_lsn || *backup.stop_lsn > end) continue;
    positions.push_back({.time = backup.stop_time, .lsn = backup.stop_lsn->value});
  }
  std::ranges::sort(positions, {}, &Position::lsn);
  if (!positions.empty()) {
    positions.push_back({.time = std::max(now, positions.back().time), .lsn = end.value});
  }
  return positions;
}

std::uint64_t lsn_at(const std::vector<Position>& positions, Instant time) {
  for (std::size_t i = 1; i < positions.size(); ++i) {
    const auto& before = positions[i - 1];
    const auto& after = positions[i];
    if (time > after.time || after.time <= before.time) continue;
    const auto part = std::chrono::duration<double>(time - before.time) /
                      std::chrono::duration<double>(after.time - before.time);
    return before.lsn + static_cast<std::uint64_t>(std::max(part, 0.0) *
                                                   static_cast<double>(after.lsn - before.lsn));
  }
  return positions.back().lsn;
}

}  // namespace

RecoveryTarget random_target(const RecoveryTarget& asked, const BackupList& list,
                             const Backup& newest, Lsn end, Instant now, std::uint64_t seed) {
  const auto positions = known_positions(list, newest, end, now);
  if (positions.empty()) {
    throw Error(
        ErrorKind::usage, fmt::format("no backup ended within {}", to_text(Seconds(*asked.within))),
        "take a backup, or use another recovery target", FindingCode::backup_none, newest.label);
  }
  const auto from = std::max(now - *asked.within, positions.front().time);
  const auto length = std::chrono::duration<double>(now - from);
  const auto time = from + std::chrono::duration_cast<Instant::duration>(length * lot_of(seed));
  auto target = asked;
  target.type = TargetType::lsn;
  target.lsn = Lsn{std::min(lsn_at(positions, time), end.value)};
  target.chosen = fmt::format("random within {}, seed {}", to_text(Seconds(*asked.within)), seed);
  target.within.reset();
  return target;
}

}  // namespace pgrehearse
