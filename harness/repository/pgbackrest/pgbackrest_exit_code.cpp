#include "harness/repository/pgbackrest/pgbackrest_exit_code.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/common/units.hpp"
#include "harness/repository/pgbackrest/pgbackrest_message.hpp"

namespace pgrehearse {

namespace {

constexpr auto stored = ErrorKind::repository;
constexpr auto around = ErrorKind::environment;

constexpr std::string_view damaged = "PGR-REPO-DAMAGED";
constexpr std::string_view missing = "PGR-REPO-FILE-MISSING";
constexpr std::string_view mismatch = "PGR-REPO-MISMATCH";
constexpr std::string_view no_set = "PGR-BACKUP-NONE";
constexpr std::string_view config = "PGR-ENV-CONFIG";
constexpr std::string_view access = "PGR-ENV-PERMISSION";
constexpr std::string_view host = "PGR-ENV-HOST";
constexpr std::string_view lock = "PGR-ENV-LOCK";
constexpr std::string_view disk = "PGR-ENV-DISK-FULL";
constexpr std::string_view tool = "PGR-ENV-TOOL";

constexpr std::string_view look_verify =
    "run 'pgbackrest verify --output=text --verbose', find the damaged copy's cause, take a new "
    "full "
    "backup";
constexpr std::string_view look_config =
    "compare the scenario's repository section and pgBackRest's configuration on this host";
constexpr std::string_view look_rights =
    "give the account that runs the drill read permission on the repository";
constexpr std::string_view look_space =
    "free space where the sandbox lies, or name another place with sandbox.directory";
constexpr std::string_view look_host =
    "check that this host reaches the repository, and its credentials";

// Writing happens in the sandbox only: whatever cannot be written is never the backup's fault.
constexpr auto table = std::to_array<ExitCodeMeaning>({
    {25, "assert", around, tool, "a bug in pgBackRest", "update pgBackRest or report it there"},
    {26, "checksum", stored, damaged, "a file's content does not match its checksum", look_verify},
    {27, "config", around, config, "the configuration is not usable", look_config},
    {28, "file-invalid", stored, damaged, "a file is not what it should be", look_verify},
    {29, "format", stored, damaged, "a file cannot be decoded", look_verify},
    {30, "command-required", around, config, "no command was given", look_config},
    {31, "option-invalid", around, config, "an option is not valid", look_config},
    {32, "option-invalid-value", around, config, "an option's value is not valid", look_config},
    {37, "option-required", around, config, "a required option is missing", look_config},
    {38, "pg-running", around, "PGR-ENV-NOT-EMPTY", "PostgreSQL runs where the restore should go",
     "use another sandbox directory"},
    {39, "protocol", around, host, "the connection to a pgBackRest process broke", look_host},
    {40, "path-not-empty", around, "PGR-ENV-NOT-EMPTY", "the sandbox's directory is not empty",
     "use another sandbox directory"},
    {41, "file-open", stored, missing, "a file cannot be opened", look_verify},
    {42, "file-read", stored, damaged, "a file cannot be read", look_verify},
    {43, "param-required", around, config, "a parameter is missing", look_config},
    {44, "archive-mismatch", stored, mismatch, "the archive belongs to another cluster",
     "was the stanza upgraded or recreated? compare system identifiers with 'pgbackrest info'"},
    {45, "archive-duplicate", stored, mismatch, "a WAL segment is archived with two contents",
     "two servers archived into one stanza: find the second one and stop its archiving"},
    {46, "version-not-supported", around, tool, "this pgBackRest does not know that version",
     "install a pgBackRest that supports the backup's PostgreSQL"},
    {47, "path-create", around, disk, "a directory cannot be created", look_space},
    {48, "command-invalid", around, tool, "this pgBackRest does not know the command",
     "install a newer pgBackRest"},
    {49, "host-connect", around, host, "the repository's host cannot be reached", look_host},
    {50, "lock-acquire", around, lock, "another pgBackRest process holds the lock",
     "wait until it ends, or run the drill at another time"},
    {51, "backup-mismatch", stored, mismatch, "the backup belongs to another cluster",
     "was the stanza upgraded or recreated? take a new full backup"},
    {52, "file-sync", around, disk, "a file cannot be flushed to disk", look_space},
    {53, "path-open", around, access, "a directory cannot be opened", look_rights},
    {54, "path-sync", around, disk, "a directory cannot be flushed to disk", look_space},
    {55, "file-missing", stored, missing, "a file that must be there is missing", look_verify},
    {56, "db-connect", around, tool, "a database cannot be reached", look_config},
    {57, "db-query", around, tool, "a database refused a query", look_config},
    {58, "db-mismatch", stored, mismatch, "the backup does not lie on the timeline asked for",
     "ask for a timeline that descends from the backup's, or choose another backup"},
    {60, "file-remove", around, disk, "a file cannot be removed", look_space},
    {61, "path-remove", around, disk, "a directory cannot be removed", look_space},
    {62, "stop", around, lock, "pgBackRest was stopped on purpose",
     "run 'pgbackrest start' where it was stopped"},
    {63, "term", around, tool, "pgBackRest was told to end", "run the drill again"},
    {64, "file-write", around, disk, "a file cannot be written", look_space},
    {67, "feature-not-supported", around, tool, "this pgBackRest lacks the feature",
     "install a newer pgBackRest"},
    {69, "link-expected", stored, mismatch, "a link of the cluster is not one", look_verify},
    {70, "link-destination", around, config, "a link would lead into the data directory",
     look_config},
    {72, "host-invalid", around, config, "the command is not allowed on this host", look_config},
    {73, "path-missing", stored, missing, "a directory that must be there is missing", look_verify},
    {74, "file-move", around, disk, "a file cannot be moved", look_space},
    {75, "backup-set-invalid", stored, no_set, "there is no such backup set to restore",
     "list the sets with 'pgbackrest info'"},
    {76, "tablespace-map", around, config, "a tablespace cannot be mapped", look_config},
    {78, "link-map", around, config, "a link cannot be mapped", look_config},
    {79, "file-close", around, disk, "a file cannot be closed", look_space},
    {80, "db-missing", around, config, "a database to leave out does not exist", look_config},
    {81, "db-invalid", around, config, "a database to leave out is not valid", look_config},
    {82, "archive-timeout", around, host, "the archive did not answer in time", look_host},
    {83, "file-mode", around, access, "a file's mode cannot be set", look_space},
    {87, "archive-disabled", stored, mismatch, "archiving is disabled", look_config},
    {88, "file-owner", around, access, "a file's owner cannot be set", look_space},
    {89, "user-missing", around, access, "an account is missing", look_rights},
    {93, "file-exists", around, "PGR-ENV-NOT-EMPTY", "a file is in the way",
     "use another sandbox directory"},
    {94, "memory", around, "PGR-ENV-MEMORY", "memory ran out", "give the sandbox more memory"},
    {95, "crypto", stored, "PGR-REPO-CIPHER", "the repository cannot be decrypted",
     "check repo-cipher-pass and repo-cipher-type; a lost passphrase loses every backup"},
    {96, "param-invalid", around, config, "a parameter is not valid", look_config},
    {97, "path-close", around, disk, "a directory cannot be closed", look_space},
    {98, "file-info", stored, damaged, "a file cannot be looked up", look_verify},
    {99, "json-format", stored, damaged, "a file is not valid JSON", look_verify},
    {100, "kernel", around, tool, "the operating system refused a request", look_space},
    {101, "service", around, host, "the storage service answered with an error", look_host},
    {102, "execute", around, tool, "a program cannot be started", look_config},
    {103, "repo-invalid", stored, "PGR-REPO-INVALID", "no usable repository was found",
     "check with 'pgbackrest info' that the stanza is in the repository"},
    {104, "command", stored, damaged, "pgBackRest met errors on its way", look_verify},
    {105, "access", around, access, "authentication or authorisation failed", look_rights},
    {106, "clock", around, tool, "the clock moved", "run the drill again"},
    {122, "runtime", around, tool, "an error of the operating system", look_space},
    {124, "unhandled", around, tool, "an unexpected end", look_space},
    {125, "unknown", around, host, "a pgBackRest process on another host ended", look_host},
});

// Words that acquit the backup whatever the code: they tell of permissions, space, hosts.
struct Acquittal {
  std::string_view words;
  std::string_view finding;
  std::string_view advice;
};

constexpr auto acquittals = std::to_array<Acquittal>({
    {"Permission denied", access, look_rights},
    {"without rwx permissions", access, look_rights},
    {"No space left on device", disk, look_space},
    {"Disk quota exceeded", disk, look_space},
    {"Read-only file system", disk, look_space},
    {"Too many open files", tool, "raise the open files limit of the account"},
    {"Cannot allocate memory", "PGR-ENV-MEMORY", "give the sandbox more memory"},
    {"unable to load cert file", config, look_config},
    {"unable to load key file", config, look_config},
    {"Stale file handle", host, look_host},
    {"Transport endpoint is not connected", host, look_host},
    {"terminated unexpectedly [255]", host, look_host},
});

// What was decrypted with a wrong passphrase is noise: pgBackRest says that it is no info file.
constexpr std::string_view decrypted_noise = "key/value found outside of section";

bool is_generic(int code) { return code == 75 || code == 103 || code == 104 || code == 125; }

// The first cause "[FormatError]" that a generic error (no valid repository, no set) carries.
const ExitCodeMeaning* nested_cause(const ToolMessage& message) {
  for (const auto* lines : {&message.details, &message.warnings}) {
    for (const auto& line : *lines) {
      const auto open = line.find('[');
      const auto close = line.find("Error]", open);
      if (open == std::string::npos || close == std::string::npos) continue;
      if (const auto* found = find_error_type(line.substr(open + 1, close + 4 - open)))
        return found;
    }
  }
  return nullptr;
}

// `all_words`: what the message was cut from, where it was.
Error judge(const ToolMessage& message, const ExitCodeMeaning* meaning, std::string_view attempt,
            ErrorKind damage, std::string_view all_words = {}) {
  ErrorKind kind = meaning != nullptr ? meaning->kind : damage;
  std::string_view finding = meaning != nullptr ? meaning->finding : tool;
  std::string_view advice = meaning != nullptr ? meaning->advice : std::string_view();
  if (message.mentions(decrypted_noise)) {
    finding = find_exit_code(95)->finding;
    advice = find_exit_code(95)->advice;
  }
  for (const auto& acquittal : acquittals) {
    const bool told = message.mentions(acquittal.words) ||
                      all_words.find(acquittal.words) != std::string_view::npos;
    if (!told) continue;
    kind = around;
    finding = acquittal.finding;
    advice = acquittal.advice;
    break;
  }
  const std::string said =
      !message.text.empty()
          ? "pgBackRest says " + message.decisive()
          : std::string(meaning != nullptr ? meaning->meaning : "pgBackRest gave no reason");
  std::string hint(advice);
  if (hint.empty() && !message.hints.empty()) hint = message.hints.front();
  return {kind == stored ? damage : kind, fmt::format("{} failed: {}", attempt, said), hint,
          std::string(finding), message.file};
}

}  // namespace

std::span<const ExitCodeMeaning> pgbackrest_exit_codes() { return table; }

const ExitCodeMeaning* find_exit_code(int code) {
  const auto found = std::ranges::find(table, code, &ExitCodeMeaning::code);
  return found != table.end() ? &*found : nullptr;
}

const ExitCodeMeaning* find_error_type(std::string_view type) {
  constexpr std::string_view suffix = "Error";
  if (!type.ends_with(suffix)) return nullptr;
  std::string name;
  for (const char letter : type.substr(0, type.size() - suffix.size())) {
    const bool upper = letter >= 'A' && letter <= 'Z';
    if (upper && !name.empty()) name += '-';
    name += upper ? static_cast<char>(letter - 'A' + 'a') : letter;
  }
  const auto found = std::ranges::find(table, name, &ExitCodeMeaning::name);
  return found != table.end() ? &*found : nullptr;
}

Error error_of(const CommandResult& result, std::string_view attempt, ErrorKind damage) {
  if (result.cancelled) {
    return {ErrorKind::interrupted, fmt::format("{} was interrupted", attempt)};
  }
  if (result.timed_out) {
    return {around,
            fmt::format("{} did not end within {}", attempt, to_text(Seconds(result.duration))),
            std::string(look_host), "PGR-ENV-TIMEOUT"};
  }
  if (result.signal != 0) {
    return {around, fmt::format("{}: pgBackRest was ended by signal {}", attempt, result.signal),
            "signal 9 is often the kernel's answer to a lack of memory", std::string(tool),
            "pgbackrest"};
  }
  // The console's errors come on standard output, or on standard error, as the log levels say.
  auto message = parse_tool_message(result.error_output);
  if (message.text.empty()) message = parse_tool_message(result.output);
  const auto* meaning = find_exit_code(result.exit_code);
  if (is_generic(result.exit_code)) {
    if (const auto* cause = nested_cause(message)) meaning = cause;
  }
  auto error = judge(message, meaning, attempt, damage);
  if (!message.text.empty()) return error;
  return {error.kind(), fmt::format("{} (exit code {})", error.what(), result.exit_code),
          error.hint(), error.code(), error.object()};
}

Error error_of_status(std::string_view status, std::string_view attempt) {
  auto message = parse_tool_message(
      fmt::format("ERROR: {}", excerpt(status.substr(0, status.find("\nHINT")))));
  const auto close = status.find("Error]");
  const auto* meaning = close != std::string_view::npos && status.starts_with('[')
                            ? find_error_type(status.substr(1, close + 4))
                            : nullptr;
  return judge(message, meaning, attempt, stored, status);
}

}  // namespace pgrehearse
