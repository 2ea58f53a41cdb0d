// Did the restored cluster start, and is its log free of damage messages? A server can accept
// connections over pages that it could not read.
#include <fmt/format.h>

#include <array>
#include <fstream>
#include <set>

#include "checks/checks.hpp"
#include "checks/parsers/damage_messages.hpp"
#include "harness/common/text.hpp"
#include "harness/postgres/lsn.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t most_lines = 20;

std::optional<FindingCode> code_for(std::string_view line) {
  if (line.find("PANIC:") != std::string_view::npos) return FindingCode::log_panic;
  if (line.find("from different database system") != std::string_view::npos) {
    return FindingCode::wal_foreign;
  }
  // A warning until PostgreSQL 13, which replays on.
  if (line.find("WAL was generated with wal_level=minimal") != std::string_view::npos) {
    return FindingCode::wal_level_minimal;
  }
  if (tells_of_damaged_wal(line)) return FindingCode::wal_damaged;
  if (tells_of_damage(line)) return FindingCode::log_damage;
  return {};
}

// "2026-11-20 03:00:00.123 UTC [123] LOG:  text" -> "LOG:  text": without time and process ID the
// same message is reported only once.
std::string_view without_prefix(std::string_view line) {
  const auto bracket = line.find("] ");
  return bracket == std::string_view::npos ? line : line.substr(bracket + 2);
}

struct LogVerdict {
  std::vector<Finding> findings;
  std::size_t lines = 0;
};

// PostgreSQL does not name the WAL file: it is the one in which replay stopped, or the next one if
// only the beginning of a segment shows it.
std::string stopped_in(const LandedContext& context, bool at_its_beginning) {
  const auto size = context.archive.segment_size;
  if (!context.landing.lsn || size == 0) return {};
  auto segment = segment_at(context.landing.timeline.value_or(1), *context.landing.lsn, size);
  constexpr std::uint64_t long_header = 40;
  const bool began = context.landing.lsn->value > start_of(segment, size).value + long_header;
  if (at_its_beginning && began) ++segment.number;
  return file_name(segment, size);
}

LogVerdict evaluate_log(const std::filesystem::path& file, const LandedContext& context) {
  LogVerdict result;
  std::set<std::string, std::less<>> seen;
  std::ifstream log(file);
  for (std::string line; std::getline(log, line); ++result.lines) {
    const auto code = code_for(line);
    if (!code || !seen.emplace(without_prefix(line)).second) continue;
    if (seen.size() > most_lines) continue;
    // The first page of a segment names the cluster it belongs to.
    const auto segment = stopped_in(context, *code == FindingCode::wal_foreign);
    const bool of_wal = *code != FindingCode::log_panic && *code != FindingCode::log_damage;
    result.findings.push_back(
        {.code = *code,
         .object = of_wal && !segment.empty() ? segment : file.filename().native(),
         .message = std::string(trim(line)),
         .hint = "run `page_checksums` and "
                 "`amcheck` to find the extent of the damage"});
  }
  if (seen.size() > most_lines) {
    result.findings.back().message +=
        fmt::format(" (and {} more such lines)", seen.size() - most_lines);
  }
  return result;
}

class StartupCheck : public InstanceCheck {
 public:
  CheckOutcome run(const LandedContext& context) override {
    CheckOutcome outcome;
    auto [findings, lines] = evaluate_log(context.log, context);
    outcome.findings = std::move(findings);
    try {
      auto connection = context.connect({});
      const auto rows = connection.query(
          "select pg_catalog.current_setting('server_version'), pg_catalog.pg_is_in_recovery()");
      outcome.summary =
          fmt::format("PostgreSQL {} accepts connections{}, {} log lines read", rows.text(0, 0),
                      rows.text(0, 1) == "t" ? ", paused in recovery" : "", lines);
    } catch (const SqlError& error) {
      outcome.findings.insert(
          outcome.findings.begin(),
          {.code = FindingCode::startup_refused,
           .object = "instance",
           .message = fmt::format("the instance refuses connections: {}", error.what()),
           .hint = "see the end of logs/postgresql.log in the run directory"});
    }
    outcome.verdict = outcome.findings.empty() ? Verdict::pass : Verdict::fail;
    if (outcome.verdict == Verdict::pass && lines == 0) {
      outcome.verdict = Verdict::unknown;
      outcome.findings.push_back({.code = FindingCode::log_missing,
                                  .object = "postgresql.log",
                                  .message = "the instance has no log to search for damage"});
    }
    if (!context.log_complete) {
      if (outcome.verdict == Verdict::pass) outcome.verdict = Verdict::unknown;
      outcome.findings.push_back({.code = FindingCode::log_incomplete,
                                  .object = context.log.filename().native(),
                                  .message = "the instance's log could not be written completely",
                                  .hint = "free disk space in the state directory"});
    }
    for (const auto& means : context.sandbox.isolation().missing) {
      outcome.findings.push_back({.code = FindingCode::isolation_reduced,
                                  .object = means.substr(0, means.find(" (")),
                                  .message = fmt::format("not in force: {}", means)});
    }
    return outcome;
  }
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::startup_refused,
    FindingCode::log_panic,
    FindingCode::log_damage,
    FindingCode::log_missing,
    FindingCode::log_incomplete,
    FindingCode::isolation_reduced,
    FindingCode::wal_damaged,
    FindingCode::wal_foreign,
    FindingCode::wal_level_minimal,
});

}  // namespace

CheckDescription startup_check() {
  return {.name = "startup",
          .summary = "the instance accepts connections and its log reports no damage",
          .finds = finding_codes,
          .state = InstanceState::paused,
          .always = true,
          .create = create<StartupCheck>};
}

}  // namespace pgrehearse
