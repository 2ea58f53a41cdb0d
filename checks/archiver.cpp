// Does the primary archive its WAL, and is what it reports as archived in the repository? A drill
// recovers only what was stored: an archive_command that returns success too early loses every
// commit after it, and nothing on the primary shows it.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checks/checks.hpp"
#include "checks/shared/primary_errors.hpp"
#include "harness/common/poll_until.hpp"
#include "harness/common/text.hpp"
#include "harness/drill/objectives/unstored_wal.hpp"

namespace pgrehearse {

namespace {

using std::chrono::minutes;

constexpr std::uint64_t most_named = 10;
// The archiver repeats a failed attempt after a second, twice, and then once a minute.
constexpr std::chrono::milliseconds retry_time{2500};
// A failure that was not repeated for so long is not being repeated.
constexpr minutes failure_age{10};
// How long a complete segment may wait, unless objectives.rpo allows more.
constexpr minutes waiting_time{10};
// The same where the segments that wait cannot be listed: the burst of WAL may be recent.
constexpr minutes silent_time{15};

std::string since(const std::optional<Instant>& instant) {
  return instant ? " at " + to_text(*instant) : std::string();
}

// "000000010000000000000007, 000000010000000000000008"
std::string names_of(const WalRange& range, std::uint64_t segment_size) {
  std::vector<std::string> names;
  for (auto number = range.first; number <= range.last && names.size() < most_named; ++number) {
    names.push_back(file_name({range.timeline, number}, segment_size));
  }
  auto text = join(names, ", ");
  if (range.count() > names.size()) {
    text += fmt::format(" and {} more up to {}", range.count() - names.size(),
                        file_name(range.last_segment(), segment_size));
  }
  return text;
}

class ArchiverCheck : public RepositoryCheck {
 public:
  CheckOutcome run(const RepositoryContext& context) override {
    if (context.primary == nullptr) return skipped("the scenario has no primary");
    const auto& identity = context.primary_at_start;
    if (identity && identity->system_identifier != context.backup.system_identifier) {
      return skipped("the primary is another cluster than the backup's");
    }
    try {
      const auto status = settled(context);
      if (status.in_recovery) return skipped("a standby was reached: only the primary archives");
      if (status.archive_mode == "off") return skipped("archive_mode is off on the primary");
      return evaluate(status, context);
    } catch (const SqlError& error) {
      return {.verdict = Verdict::unknown,
              .findings = {primary_trouble(*context.primary,
                                           "the archiver's status could not be read", error)},
              .summary = "not read"};
    }
  }

 private:
  static CheckOutcome skipped(std::string why) {
    return {.verdict = Verdict::skipped, .summary = std::move(why)};
  }

  // Reads again for a few seconds while the archiver seems to be in trouble: it may succeed.
  static ArchiverStatus settled(const RepositoryContext& context) {
    const auto first = read_archiver(*context.primary, context.stop);
    auto now = first;
    const auto calm = [&] {
      now = read_archiver(*context.primary, context.stop);
      return now.archived_count > first.archived_count || !in_trouble(now, context);
    };
    if (!in_trouble(first, context)) return first;
    poll_until(std::chrono::steady_clock::now() + retry_time, std::chrono::milliseconds(500),
               context.stop, calm);
    // What was archived meanwhile shows that archiving works.
    if (now.archived_count > first.archived_count) now.last_failed_at.reset();
    return now;
  }

  static bool in_trouble(const ArchiverStatus& status, const RepositoryContext& context) {
    return !status.in_recovery && (is_failing(status) || is_silent(status, context));
  }

  static bool is_failing(const ArchiverStatus& status) {
    return status.failing() && status.now - *status.last_failed_at < failure_age;
  }

  static Seconds allowed(Seconds least, const RepositoryContext& context) {
    const auto& rpo = context.scenario.objectives.rpo;
    return rpo ? std::max(least, Seconds(*rpo)) : least;
  }

  // Complete segments are not archived, and nothing has been for a long time.
  static bool is_silent(const ArchiverStatus& status, const RepositoryContext& context) {
    const auto size = context.archive.segment_size;
    if (status.waiting || size == 0 || !status.last_archived_at) return false;
    const auto last = parse_wal_segment(status.last_archived.substr(0, 24), size);
    const auto current = segment_at(status.timeline, status.lsn, size).number;
    if (!last || last->timeline != status.timeline || current < last->number + 2) return false;
    return status.now - *status.last_archived_at > allowed(silent_time, context);
  }

  static CheckOutcome evaluate(const ArchiverStatus& status, const RepositoryContext& context) {
    CheckOutcome outcome{.verdict = Verdict::pass};
    const auto add = [&](Finding finding) {
      outcome.verdict = Verdict::fail;
      outcome.findings.push_back(std::move(finding));
    };
    const auto unstored = find_unstored_wal(status, context.archive, context.backup,
                                            context.repository, context.stop);
    if (unstored) add(not_stored(*unstored, status, context));
    if (is_failing(status)) add(failing(status));
    if (status.waiting && status.waiting->oldest_age > allowed(waiting_time, context)) {
      add(waiting(*status.waiting, status));
    }
    if (is_silent(status, context)) add(silent(status));
    if (status.last_archived.empty() && outcome.findings.empty()) {
      return skipped("the primary has archived nothing since its statistics were reset");
    }
    outcome.summary =
        fmt::format("last archived: {}{}", status.last_archived, since(status.last_archived_at));
    if (status.waiting) outcome.summary += fmt::format("; {} waiting", status.waiting->count);
    return outcome;
  }

  static Finding not_stored(const WalRange& range, const ArchiverStatus& status,
                            const RepositoryContext& context) {
    const auto size = context.archive.segment_size;
    const auto first = file_name(range.first_segment(), size);
    return {.code = FindingCode::archive_not_stored,
            .object = first,
            .message = fmt::format(
                "the primary reports {} as archived{}, and repository {} does not "
                "have {}: {}",
                status.last_archived, since(status.last_archived_at), context.backup.repository_key,
                range.count() == 1 ? std::string("it")
                                   : fmt::format("{} segments up to it", range.count()),
                names_of(range, size)),
            .hint =
                "check archive_command on the primary: it returns success without storing WAL "
                "(/bin/true, another stanza or repository, archive-push-queue-max); correct it, "
                "then take a new backup",
            .details = {{"first", first},
                        {"last", file_name(range.last_segment(), size)},
                        {"missing", std::to_string(range.count())}}};
  }

  static Finding failing(const ArchiverStatus& status) {
    return {.code = FindingCode::archive_failing,
            .object = status.last_failed,
            .message = fmt::format(
                "archiving {} failed on the primary{}, and nothing has been archived since; last "
                "success: {}",
                status.last_failed, since(status.last_failed_at),
                status.last_archived_at
                    ? fmt::format("{}{}", status.last_archived, since(status.last_archived_at))
                    : "none"),
            .hint =
                "look for the error of archive_command in the primary's log, and run "
                "`pgbackrest check`",
            .details = {{"failed_count", std::to_string(status.failed_count)}}};
  }

  static Finding waiting(const WaitingSegments& segments, const ArchiverStatus& status) {
    return {.code = FindingCode::archive_lag,
            .object = segments.oldest,
            .message = fmt::format(
                "{} complete segment{} on the primary not archived, {} for {}; last archived: {}{}",
                segments.count, segments.count == 1 ? " is" : "s are", segments.oldest,
                to_text(segments.oldest_age),
                status.last_archived.empty() ? "none" : status.last_archived,
                since(status.last_archived_at)),
            .hint =
                "look for a hanging archive_command, a slow repository, or archive-async with "
                "too few processes",
            .details = {{"waiting", std::to_string(segments.count)}}};
  }

  static Finding silent(const ArchiverStatus& status) {
    return {.code = FindingCode::archive_lag,
            .object = status.last_archived,
            .message = fmt::format(
                "the primary writes WAL at {}, and nothing after {} has been archived since{}",
                to_text(status.lsn), status.last_archived, since(status.last_archived_at)),
            .hint =
                "look for a hanging archive_command or an empty one; grant pg_monitor to see "
                "how many segments wait"};
  }
};

constexpr auto finding_codes = with_primary_errors(std::to_array<FindingCode>({
    FindingCode::archive_not_stored,
    FindingCode::archive_failing,
    FindingCode::archive_lag,
}));

}  // namespace

CheckDescription archiver_check() {
  return {.name = "archiver",
          .summary =
              "the primary archives its WAL, and what it reports as archived is in the repository",
          .finds = finding_codes,
          .state = InstanceState::any,
          .always = true,
          .needs_primary = true,
          .weight = 30,
          .create = create<ArchiverCheck>};
}

}  // namespace pgrehearse
