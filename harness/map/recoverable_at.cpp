#include "harness/map/recoverable_at.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/map/map_branches.hpp"

namespace pgrehearse {

namespace {

// The known limits of a point: it is not before the first and not after the second.
std::optional<Instant> earliest(const MapPoint& point) {
  return point.time ? point.time : point.not_before;
}
std::optional<Instant> latest(const MapPoint& point) {
  return point.time ? point.time : point.not_after;
}

class Question {
 public:
  Question(const MapArchive& archive, Instant at)
      : archive_(archive), branch_(archive.branches.front()), at_(at) {
    answer_.timeline = branch_.timeline;
  }

  InstantAnswer ask() {
    for (const auto& window : branch_.windows) {
      if (look_at(window)) return answer_;
      note_neighbours(window);
    }
    answer_.answer = Recoverability::lost;
    answer_.reason = reason_of_loss();
    return answer_;
  }

 private:
  // False: the window ends before the instant, or begins after it.
  bool look_at(const MapWindow& window) {
    const auto begins_after = earliest(window.begin);
    if (begins_after && at_ < *begins_after) return false;
    // Recovery to a time ends at the first later commit: the instant must be before the last one.
    const auto ends_before = latest(window.end);
    if (ends_before && at_ >= *ends_before) return false;
    const auto begun = latest(window.begin);
    const auto ends = earliest(window.end);
    if (begun && at_ >= *begun && ends && at_ < *ends) {
      use(window);
      return true;
    }
    answer_.reason = fmt::format(
        "the recoverable range from {} to {} ends at a time that is not "
        "known exactly{}",
        text(earliest(window.begin)), text(latest(window.end)),
        window.note.empty() ? "" : ": " + window.note);
    return true;
  }

  void use(const MapWindow& window) {
    for (const auto& mapped : archive_.backups) {
      const bool listed =
          std::ranges::find(window.backups, mapped.backup.label) != window.backups.end();
      // As pgBackRest selects: strictly before, in whole seconds.
      if (!listed || first_target_after(mapped.backup.stop_time) > at_) continue;
      answer_.backup = mapped;
    }
    if (!answer_.backup) {
      answer_.reason = "no backup of the range ended before that time";
      return;
    }
    answer_.answer = Recoverability::recoverable;
    const auto& backup = answer_.backup->backup;
    answer_.begin = start_lsn_of(backup, archive_.segment_size);
    find_end(window);
    const auto bytes = answer_.end.value - std::min(answer_.end, answer_.begin).value;
    answer_.segments = (bytes + archive_.segment_size - 1) / archive_.segment_size;
  }

  // The position of the instant is between the ends of the backups before and after it.
  void find_end(const MapWindow& window) {
    MapPoint before{.lsn = end_lsn_of(answer_.backup->backup, archive_.segment_size),
                    .time = answer_.backup->backup.stop_time};
    MapPoint after = window.end;
    for (const auto& mapped : archive_.backups) {
      const auto lsn = end_lsn_of(mapped.backup, archive_.segment_size);
      if (mapped.backup.stop_time > at_ && lsn > before.lsn && lsn < after.lsn) {
        after = {.lsn = lsn, .time = mapped.backup.stop_time};
      }
    }
    answer_.latest_end = after.lsn;
    answer_.end = after.lsn;
    const auto until = latest(after);
    if (!until || *until <= *before.time) return;
    const double share =
        Seconds(at_ - *before.time).count() / Seconds(*until - *before.time).count();
    const auto bytes = static_cast<double>(after.lsn.value - before.lsn.value);
    answer_.end =
        Lsn{before.lsn.value + static_cast<std::uint64_t>(bytes * std::clamp(share, 0.0, 1.0))};
  }

  void note_neighbours(const MapWindow& window) {
    const auto end = earliest(window.end);
    if (end && *end <= at_ && (!answer_.earlier || *end > *answer_.earlier)) answer_.earlier = end;
    const auto begin = latest(window.begin);
    if (begin && *begin > at_ && (!answer_.later || *begin < *answer_.later)) answer_.later = begin;
  }

  [[nodiscard]] std::string reason_of_loss() const {
    for (const auto& loss : branch_.losses) {
      const auto begin = earliest(loss.begin);
      const auto end = latest(loss.end);
      if (begin && at_ >= *begin && (!end || at_ < *end)) return loss.reason;
    }
    if (branch_.windows.empty()) return "no backup of this timeline can be restored";
    return answer_.earlier ? "no commit after that time is in the archive"
                           : "no backup ended before that time";
  }

  static std::string text(const std::optional<Instant>& instant) {
    return instant ? to_text(*instant) : "an unknown time";
  }

  const MapArchive& archive_;
  const MapBranch& branch_;
  Instant at_;
  InstantAnswer answer_;
};

}  // namespace

std::string_view name_of(Recoverability recoverability) {
  switch (recoverability) {
    case Recoverability::recoverable:
      return "recoverable";
    case Recoverability::lost:
      return "not recoverable";
    case Recoverability::unknown:
      break;
  }
  return "unknown";
}

InstantAnswer recoverable_at(const RecoveryMap& map, Instant at) {
  if (map.archives.empty() || map.archives.front().branches.empty()) {
    return {.answer = map.unknown.empty() ? Recoverability::lost : Recoverability::unknown,
            .reason = map.unknown.empty() ? "the repository has no backup" : map.unknown.front()};
  }
  return Question(map.archives.front(), at).ask();
}

}  // namespace pgrehearse
