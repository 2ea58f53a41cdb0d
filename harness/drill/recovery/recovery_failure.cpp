#include "harness/drill/recovery/recovery_failure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "harness/common/text.hpp"
#include "harness/postgres/lsn.hpp"

namespace pgrehearse {

namespace {

struct Pattern {
  std::string_view text;  // a part of the log line
  ErrorKind kind = ErrorKind::recovery;
  FindingCode code = FindingCode::none;
  std::string_view meaning;
  std::string_view next_step;
};

// PostgreSQL's messages (xlogrecovery.c, xlog.c, xlogarchive.c), most specific first.
constexpr auto patterns = std::to_array<Pattern>({
    {"No space left on device", ErrorKind::environment, FindingCode::env_disk_full,
     "the sandbox's disk is full",
     "free disk space, or set sandbox.directory to a larger file system"},
    {"Cannot allocate memory", ErrorKind::environment, FindingCode::env_memory,
     "the sandbox has too little memory", "raise sandbox.memory"},
    {"could not map anonymous shared memory", ErrorKind::environment, FindingCode::env_memory,
     "the sandbox has too little memory", "raise sandbox.memory"},
    {"could not create lock file", ErrorKind::environment, FindingCode::env_lock,
     "another server holds the lock", "stop the other server, or use another directory"},
    {"requested recovery stop point is before consistent recovery point", ErrorKind::recovery,
     FindingCode::target_before_consistency,
     "the recovery target is before the position where the backup becomes consistent",
     "choose a later target, or set repository.backup to an older backup"},
    {"recovery ended before configured recovery target was reached", ErrorKind::recovery,
     FindingCode::target_not_reached, "the archive ends before the recovery target",
     "choose a target inside the recoverable window (`pgrehearse map`)"},
    {"is not a child of this server's history", ErrorKind::recovery,
     FindingCode::timeline_not_child,
     "the requested timeline does not descend from the backup's timeline",
     "set recover_to.timeline, or take a backup on the current timeline"},
    {"does not contain minimum recovery point", ErrorKind::recovery,
     FindingCode::timeline_not_child,
     "the requested timeline branches off before the backup is consistent",
     "set recover_to.timeline"},
    {"recovery target timeline", ErrorKind::recovery, FindingCode::timeline_missing,
     "the requested timeline is not in the archive",
     "set recover_to.timeline to a timeline in the archive"},
    {"could not locate a valid checkpoint record", ErrorKind::recovery, FindingCode::wal_missing,
     "the WAL at the start of the backup is missing or damaged",
     "this backup cannot be recovered: use another one"},
    {"could not locate required checkpoint record", ErrorKind::recovery, FindingCode::wal_missing,
     "the WAL at the start of the backup is missing or damaged",
     "this backup cannot be recovered: use another one"},
    {"WAL was generated with wal_level=minimal", ErrorKind::recovery,
     FindingCode::wal_level_minimal, "the primary ran with wal_level=minimal after the backup",
     "take a new backup now: no later commit can be recovered from this one"},
    {"WAL ends before end of online backup", ErrorKind::recovery, FindingCode::wal_missing,
     "the archive ends before the backup is consistent",
     "this backup cannot be recovered: use another one"},
    {"WAL ends before consistent recovery point", ErrorKind::recovery, FindingCode::wal_missing,
     "the archive ends before the backup is consistent",
     "this backup cannot be recovered: use another one"},
    {"directory \"", ErrorKind::environment, FindingCode::tablespace_new,
     "WAL written after the backup creates a tablespace outside the sandbox, which is not allowed",
     "take a new backup, which will include the tablespace"},
    {"could not create file \"pg_tblspc/", ErrorKind::environment, FindingCode::tablespace_new,
     "WAL written after the backup writes to a tablespace outside the sandbox, which is not "
     "allowed",
     "take a new backup, which will include the tablespace"},
    {"could not set permissions on directory", ErrorKind::environment, FindingCode::tablespace_new,
     "WAL written after the backup creates a tablespace outside the sandbox, which is not allowed",
     "take a new backup, which will include the tablespace"},
    {"WAL contains references to invalid pages", ErrorKind::recovery,
     FindingCode::wal_invalid_pages, "WAL refers to pages that are missing from the backup",
     "files are missing from this backup: use another one"},
    {"invalid page in block", ErrorKind::recovery, FindingCode::page_invalid,
     "replay read a damaged page", "this backup contains a damaged relation: use an older one"},
    {"contains wrong size", ErrorKind::recovery, FindingCode::wal_damaged, "a WAL file is damaged",
     ""},
    {"is from different database system", ErrorKind::recovery, FindingCode::wal_foreign,
     "a WAL file belongs to another cluster",
     "another server is archiving to this stanza: stop it"},
    {"incorrect resource manager data checksum", ErrorKind::recovery, FindingCode::wal_damaged,
     "a WAL record is damaged", "recovery ends there: choose an earlier target"},
    {"invalid value for parameter", ErrorKind::startup, FindingCode::startup_setting,
     "the server rejected a setting", ""},
    {"could not access file", ErrorKind::startup, FindingCode::startup_library,
     "a library is missing", "install the extension on this host"},
});

bool severe(std::string_view line) {
  return line.find("FATAL: ") != std::string_view::npos ||
         line.find("PANIC: ") != std::string_view::npos ||
         line.find("ERROR: ") != std::string_view::npos;
}

std::string message_of(std::string_view line) {
  const auto colon = line.find(":  ");
  return std::string(colon == std::string_view::npos ? line : line.substr(colon + 3));
}

// The text between the first pair of double quotes: the file that the line is about.
std::string quoted_part(std::string_view line) {
  const auto begin = line.find('"');
  const auto end = begin == std::string_view::npos ? begin : line.find('"', begin + 1);
  return end == std::string_view::npos ? std::string{}
                                       : std::string(line.substr(begin + 1, end - begin - 1));
}

// Targets and timelines are not quoted in the log.
std::string object_of(FindingCode code, std::string_view line, const std::string& target) {
  constexpr std::string_view timeline = "timeline ";
  const bool of_timeline =
      code == FindingCode::timeline_missing || code == FindingCode::timeline_not_child;
  const bool of_target =
      code == FindingCode::target_before_consistency || code == FindingCode::target_not_reached;
  if (const auto at = line.find(timeline); of_timeline && at != line.npos) {
    std::uint32_t number = 0;
    std::from_chars(line.data() + at + timeline.size(), line.data() + line.size(), number);
    if (number > 0) return fmt::format("{:08X}.history", number);
  }
  return of_target ? target : quoted_part(line);
}

// The backup tool's reasons for not providing a file, on the lines below its error.
constexpr auto tool_causes = std::to_array<Pattern>({
    {"No space left on device", ErrorKind::environment, FindingCode::env_disk_full,
     "the sandbox's disk is full",
     "free disk space, or set sandbox.directory to a larger file system"},
    {"Permission denied", ErrorKind::environment, FindingCode::env_permission, "permission denied",
     "give the account that runs the drill read permission on the repository"},
    {"HostConnectError", ErrorKind::environment, FindingCode::env_host,
     "the repository cannot be reached",
     "check the network connection to the repository and its credentials"},
    // pgBackRest has the same type of error, CryptoError, for TLS and for decryption.
    {"certificate presented by", ErrorKind::environment, FindingCode::env_host,
     "the certificate of the repository's server cannot be verified",
     "check the dates, the names and the authority of the server's certificate"},
    {"in certificate common name", ErrorKind::environment, FindingCode::env_host,
     "the certificate of the repository's server is for another name",
     "check the name in repo-storage-host, repo-s3-endpoint or repo-host"},
    {"CryptoError", ErrorKind::repository, FindingCode::repo_cipher, "it cannot be decrypted",
     "check repo-cipher-pass and repo-cipher-type"},
    {"ChecksumError", ErrorKind::repository, FindingCode::wal_damaged,
     "it is damaged in the repository",
     "recovery cannot pass this segment: look for it on the primary and its standbys"},
    {"FormatError", ErrorKind::repository, FindingCode::wal_damaged,
     "it is damaged in the repository",
     "recovery cannot pass this segment: look for it on the primary and its standbys"},
    {"FileReadError", ErrorKind::repository, FindingCode::wal_damaged,
     "it is damaged in the repository",
     "recovery cannot pass this segment: look for it on the primary and its standbys"},
    {"unexpected eof", ErrorKind::repository, FindingCode::wal_damaged,
     "it is damaged in the repository",
     "recovery cannot pass this segment: look for it on the primary and its standbys"},
    {"cannot be decompressed", ErrorKind::repository, FindingCode::wal_damaged,
     "it is damaged in the repository",
     "recovery cannot pass this segment: look for it on the primary and its standbys"},
    {"[045]", ErrorKind::repository, FindingCode::wal_duplicate,
     "it was archived twice with different contents",
     "two servers are archiving to the same stanza: stop the second one"},
    {"[044]", ErrorKind::repository, FindingCode::repo_mismatch,
     "the archive belongs to another cluster", "compare system identifiers with 'pgbackrest info'"},
});

// The tool's last error in the log and the lines below it, which have no log_line_prefix.
std::string tool_error(std::span<const std::string> log) {
  std::string words;
  bool inside = false;
  for (const auto& line : log) {
    const auto at = line.find("ERROR: [");
    if (at != std::string::npos) {
      words = line.substr(at);
      inside = true;
    } else if (inside && line.starts_with("  ")) {
      words += " " + std::string(trim(line));
    } else {
      inside = false;
    }
  }
  return words;
}

// Where the replay that the server's last error interrupted was: "CONTEXT:  WAL redo at 0/3000110
// for XLOG/PARAMETER_CHANGE: ...".
std::optional<Lsn> redo_position(std::span<const std::string> log) {
  constexpr std::string_view label = "WAL redo at ";
  for (auto line = log.rbegin(); line != log.rend(); ++line) {
    const auto at = line->find(label);
    if (at == std::string::npos) continue;
    const auto rest = std::string_view(*line).substr(at + label.size());
    return parse_lsn(rest.substr(0, rest.find(' ')));
  }
  return {};
}

// The wal_level is in a record: everything before it can be recovered.
Error minimal_wal(const Pattern& pattern, std::span<const std::string> log,
                  std::span<const WalRequest> requests) {
  const auto last = std::find_if(requests.rbegin(), requests.rend(),
                                 [](const auto& request) { return request.exit_code == 0; });
  const auto position = redo_position(log);
  auto message = std::string(pattern.meaning);
  auto hint = std::string(pattern.next_step);
  if (position) {
    message += fmt::format(": recovery from this backup ends at {}", to_text(*position));
    hint += fmt::format(
        "; to recover to its last point, use `recover_to: {{ lsn: {}, exclusive: "
        "true }}`",
        to_text(*position));
  }
  return {pattern.kind, message, hint, pattern.code,
          last == requests.rend() ? std::string() : last->file};
}

// The end of the archive is a segment that is missing. Where the last one was fetched, a record in
// it could not be read.
std::optional<std::string> unread_segment(std::span<const WalRequest> requests) {
  constexpr std::size_t segment_name = 24;
  for (auto request = requests.rbegin(); request != requests.rend(); ++request) {
    if (request->file.size() != segment_name) continue;
    return request->exit_code == 0 ? std::optional(request->file) : std::nullopt;
  }
  return {};
}

Error damaged_before_target(const std::string& segment, std::span<const std::string> log,
                            const std::string& target) {
  // PostgreSQL logs why it stopped reading, as LOG, just before it gives up.
  std::string reason;
  for (const auto& line : log) {
    const bool reads = line.find("LOG:  ") != std::string::npos &&
                       (line.find("invalid ") != std::string::npos ||
                        line.find("incorrect ") != std::string::npos ||
                        line.find("unexpected ") != std::string::npos ||
                        line.find("contrecord") != std::string::npos);
    if (reads) reason = message_of(line);
  }
  return {ErrorKind::recovery,
          fmt::format("WAL segment {} is in the archive but cannot be replayed to its end{}{}; "
                      "recovery ends before the target ({})",
                      segment, reason.empty() ? "" : ": ", reason, target),
          "look for an undamaged copy of the segment in pg_wal of the primary and its standbys; "
          "otherwise choose an earlier target, and take a new backup now",
          FindingCode::wal_damaged, segment};
}

Error repository_failure(const WalRequest& failed, std::span<const std::string> log) {
  const auto words = tool_error(log);
  const auto said = fmt::format("fetching {} failed with exit code {}{}{}", failed.file,
                                failed.exit_code, words.empty() ? "" : ": ", words);
  for (const auto& cause : tool_causes) {
    if (words.find(cause.text) == std::string::npos) continue;
    return {cause.kind,
            fmt::format("replay stopped at WAL file {}: {}: {}", failed.file, cause.meaning, said),
            std::string(cause.next_step), cause.code, failed.file};
  }
  return {ErrorKind::repository, fmt::format("the repository failed during replay: {}", said),
          "repair the repository, then run the drill again", FindingCode::wal_fetch, failed.file};
}

}  // namespace

std::vector<std::string> decisive_lines(std::span<const std::string> log, std::size_t most) {
  std::vector<std::string> lines;
  for (const auto& line : log) {
    if (severe(line) || line.find("WARNING: ") != std::string::npos) lines.push_back(line);
  }
  if (lines.size() > most) lines.erase(lines.begin(), lines.end() - static_cast<long>(most));
  return lines;
}

Error explain_recovery_failure(std::span<const std::string> log,
                               std::span<const WalRequest> requests, const std::string& target) {
  // A repository error is the cause of whatever PostgreSQL says after it.
  const auto failed = std::find_if(requests.begin(), requests.end(),
                                   [](const auto& request) { return request.exit_code > 1; });
  const bool server_stopped_for_it = std::any_of(log.begin(), log.end(), [](const auto& line) {
    return line.find("FATAL: ") != std::string::npos &&
           line.find("could not restore file") != std::string::npos;
  });
  if (failed != requests.end() && server_stopped_for_it) {
    return repository_failure(*failed, log);
  }
  for (const auto& pattern : patterns) {
    for (const auto& line : log) {
      const bool relevant = severe(line) || line.find("LOG:  incorrect") != std::string::npos ||
                            line.find("from different database system") != std::string::npos;
      if (!relevant || line.find(pattern.text) == std::string::npos) continue;
      if (pattern.code == FindingCode::wal_level_minimal) {
        return minimal_wal(pattern, log, requests);
      }
      if (pattern.code == FindingCode::target_not_reached) {
        const auto segment = unread_segment(requests);
        if (segment) return damaged_before_target(*segment, log, target);
      }
      return {pattern.kind,
              fmt::format("{}: {} (target: {})", pattern.meaning, message_of(line), target),
              std::string(pattern.next_step), pattern.code, object_of(pattern.code, line, target)};
    }
  }
  const auto lines = decisive_lines(log, 1);
  return {ErrorKind::startup,
          fmt::format("the restored instance did not start: {}",
                      lines.empty() ? "its log contains no error" : message_of(lines.back())),
          "see logs/postgresql.log in the run directory", FindingCode::startup_failed};
}

}  // namespace pgrehearse
