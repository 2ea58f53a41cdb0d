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

constexpr auto damaged = FindingCode::repo_damaged;
constexpr auto missing = FindingCode::repo_file_missing;
constexpr auto mismatch = FindingCode::repo_mismatch;
constexpr auto no_set = FindingCode::backup_none;
constexpr auto config = FindingCode::env_config;
constexpr auto access = FindingCode::env_permission;
constexpr auto host = FindingCode::env_host;
constexpr auto lock = FindingCode::env_lock;
constexpr auto disk = FindingCode::env_disk_full;
constexpr auto tool = FindingCode::env_tool;

constexpr std::string_view advice_verify =
    "run 'pgbackrest verify --output=text --verbose', find the cause of the damage, and take a new "
    "full backup";
constexpr std::string_view advice_config =
    "compare the scenario's repository section with pgBackRest's configuration on this host";
constexpr std::string_view advice_rights =
    "give the account that runs the drill read permission on the repository";
constexpr std::string_view advice_space =
    "free disk space for the sandbox, or set sandbox.directory";
constexpr std::string_view advice_host =
    "check the connection from this host to the repository, and the credentials";
constexpr std::string_view advice_certificate =
    "check the dates, the names and the authority of the server's certificate, and "
    "repo-storage-ca-file (repo-host-ca-file for a repository host)";

// Only the sandbox is written to: a failed write is never the backup's fault.
constexpr auto table = std::to_array<ExitCodeMeaning>({
    {25, "assert", around, tool, "a bug in pgBackRest",
     "update pgBackRest, or report the bug to its project"},
    {26, "checksum", stored, damaged, "the content of a file does not match its checksum",
     advice_verify},
    {27, "config", around, config, "the configuration is invalid", advice_config},
    {28, "file-invalid", stored, damaged, "a file is invalid", advice_verify},
    {29, "format", stored, damaged, "a file cannot be decoded", advice_verify},
    {30, "command-required", around, config, "no command was given", advice_config},
    {31, "option-invalid", around, config, "an option is not valid", advice_config},
    {32, "option-invalid-value", around, config, "an option's value is not valid", advice_config},
    {37, "option-required", around, config, "a required option is missing", advice_config},
    {38, "pg-running", around, FindingCode::env_not_empty,
     "PostgreSQL is running in the restore directory", "use another sandbox directory"},
    {39, "protocol", around, host, "the connection to a pgBackRest process was lost", advice_host},
    {40, "path-not-empty", around, FindingCode::env_not_empty,
     "the sandbox's directory is not empty", "use another sandbox directory"},
    {41, "file-open", stored, missing, "a file cannot be opened", advice_verify},
    {42, "file-read", stored, damaged, "a file cannot be read", advice_verify},
    {43, "param-required", around, config, "a parameter is missing", advice_config},
    {44, "archive-mismatch", stored, mismatch, "the archive belongs to another cluster",
     "was the stanza upgraded or recreated? compare system identifiers with 'pgbackrest info'"},
    {45, "archive-duplicate", stored, mismatch,
     "a WAL segment is archived twice with different content",
     "two servers are archiving to the same stanza: find the second one and disable its archiving"},
    {46, "version-not-supported", around, tool,
     "this version of pgBackRest does not support the PostgreSQL version",
     "install a pgBackRest version that supports the backup's PostgreSQL version"},
    {47, "path-create", around, disk, "a directory cannot be created", advice_space},
    {48, "command-invalid", around, tool, "this version of pgBackRest does not support the command",
     "install a newer pgBackRest"},
    {49, "host-connect", around, host, "the repository's host cannot be reached", advice_host},
    {50, "lock-acquire", around, lock, "another pgBackRest process holds the lock",
     "wait until it finishes, or run the drill at another time"},
    {51, "backup-mismatch", stored, mismatch, "the backup belongs to another cluster",
     "was the stanza upgraded or recreated? take a new full backup"},
    {52, "file-sync", around, disk, "a file cannot be flushed to disk", advice_space},
    {53, "path-open", around, access, "a directory cannot be opened", advice_rights},
    {54, "path-sync", around, disk, "a directory cannot be flushed to disk", advice_space},
    {55, "file-missing", stored, missing, "a required file is missing", advice_verify},
    {56, "db-connect", around, tool, "a database cannot be reached", advice_config},
    {57, "db-query", around, tool, "a database query failed", advice_config},
    {58, "db-mismatch", stored, mismatch, "the backup is not on the requested timeline",
     "set recover_to.timeline to one that descends from the backup's, or select another backup"},
    {60, "file-remove", around, disk, "a file cannot be removed", advice_space},
    {61, "path-remove", around, disk, "a directory cannot be removed", advice_space},
    {62, "stop", around, lock, "pgBackRest was stopped with 'pgbackrest stop'",
     "run 'pgbackrest start' on the host where it was stopped"},
    {63, "term", around, tool, "pgBackRest was terminated", "run the drill again"},
    {64, "file-write", around, disk, "a file cannot be written", advice_space},
    {67, "feature-not-supported", around, tool,
     "this version of pgBackRest does not support the feature", "install a newer pgBackRest"},
    {69, "link-expected", stored, mismatch, "a symbolic link was expected", advice_verify},
    {70, "link-destination", around, config, "a link points into the data directory",
     advice_config},
    {72, "host-invalid", around, config, "the command is not allowed on this host", advice_config},
    {73, "path-missing", stored, missing, "a required directory is missing", advice_verify},
    {74, "file-move", around, disk, "a file cannot be moved", advice_space},
    {75, "backup-set-invalid", stored, no_set, "the backup to restore does not exist",
     "list the backups with 'pgbackrest info'"},
    {76, "tablespace-map", around, config, "a tablespace cannot be mapped", advice_config},
    {78, "link-map", around, config, "a link cannot be mapped", advice_config},
    {79, "file-close", around, disk, "a file cannot be closed", advice_space},
    {80, "db-missing", around, config, "a database to exclude does not exist", advice_config},
    {81, "db-invalid", around, config, "a database to exclude is not valid", advice_config},
    {82, "archive-timeout", around, host, "timed out waiting for the archive", advice_host},
    {83, "file-mode", around, access, "a file's mode cannot be set", advice_space},
    {87, "archive-disabled", stored, mismatch, "archiving is disabled", advice_config},
    {88, "file-owner", around, access, "a file's owner cannot be set", advice_space},
    {89, "user-missing", around, access, "an account does not exist", advice_rights},
    {93, "file-exists", around, FindingCode::env_not_empty, "a file already exists",
     "use another sandbox directory"},
    {94, "memory", around, FindingCode::env_memory, "out of memory",
     "give the sandbox more memory"},
    {95, "crypto", stored, FindingCode::repo_cipher, "the repository cannot be decrypted",
     "check repo-cipher-pass and repo-cipher-type; a lost passphrase loses every backup"},
    {96, "param-invalid", around, config, "a parameter is not valid", advice_config},
    {97, "path-close", around, disk, "a directory cannot be closed", advice_space},
    {98, "file-info", stored, damaged, "a file's metadata cannot be read", advice_verify},
    {99, "json-format", stored, damaged, "a file is not valid JSON", advice_verify},
    {100, "kernel", around, tool, "the operating system refused a request", advice_space},
    {101, "service", around, host, "the storage service returned an error", advice_host},
    {102, "execute", around, tool, "a program cannot be started", advice_config},
    {103, "repo-invalid", stored, FindingCode::repo_invalid, "no usable repository was found",
     "check with 'pgbackrest info' that the stanza is in the repository"},
    {104, "command", stored, damaged, "pgBackRest reported errors", advice_verify},
    {105, "access", around, access, "authentication or authorization failed", advice_rights},
    {106, "clock", around, tool, "the clock was changed", "run the drill again"},
    {122, "runtime", around, tool, "an operating system error", advice_space},
    {124, "unhandled", around, tool, "unexpected termination", advice_space},
    {125, "unknown", around, host, "a pgBackRest process on another host terminated", advice_host},
});

// Words that prove another cause than the backup, whatever the exit code: permissions, disk space,
// hosts.
struct OtherCause {
  std::string_view words;
  FindingCode finding = FindingCode::none;
  std::string_view advice;
};

constexpr auto other_causes = std::to_array<OtherCause>({
    {"Permission denied", access, advice_rights},
    {"without rwx permissions", access, advice_rights},
    {"No space left on device", disk, advice_space},
    {"Disk quota exceeded", disk, advice_space},
    {"Read-only file system", disk, advice_space},
    {"Too many open files", tool, "raise the account's open file limit (ulimit -n)"},
    {"Cannot allocate memory", FindingCode::env_memory, "give the sandbox more memory"},
    // pgBackRest has the same type of error, CryptoError, for TLS and for decryption.
    {"certificate presented by", host, advice_certificate},
    {"in certificate common name", host, advice_certificate},
    {"user-defined CA certificate", config, advice_certificate},
    {"unable to load cert file", config, advice_config},
    {"unable to load key file", config, advice_config},
    {"Stale file handle", host, advice_host},
    {"Transport endpoint is not connected", host, advice_host},
    {"terminated unexpectedly [255]", host, advice_host},
    // A stalled connection, reported as a file that cannot be read [042].
    {"waiting for read from", host, advice_host},
});

// A wrong passphrase decrypts to noise. Of the two copies of an info file, pgBackRest may report
// one as invalid and the other as impossible to decrypt, below an error of a third type.
constexpr auto wrong_passphrase =
    std::to_array<std::string_view>({"key/value found outside of section", "CryptoError: "});

bool is_generic(int code) { return code == 75 || code == 103 || code == 104 || code == 125; }

// The first specific cause, such as "[FormatError]", in a generic error (no valid repository, no
// backup).
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

// `full_text`: the text that `message` is an excerpt of, if it was shortened.
Error classify(const ToolMessage& message, const ExitCodeMeaning* meaning, std::string_view attempt,
               ErrorKind damage, std::string_view full_text = {}) {
  ErrorKind kind = meaning != nullptr ? meaning->kind : damage;
  FindingCode finding = meaning != nullptr ? meaning->finding : tool;
  std::string_view advice = meaning != nullptr ? meaning->advice : std::string_view();
  if (std::ranges::any_of(wrong_passphrase, [&](auto words) { return message.mentions(words); })) {
    finding = find_exit_code(95)->finding;
    advice = find_exit_code(95)->advice;
  }
  for (const auto& cause : other_causes) {
    const bool found =
        message.mentions(cause.words) || full_text.find(cause.words) != std::string_view::npos;
    if (!found) continue;
    kind = around;
    finding = cause.finding;
    advice = cause.advice;
    break;
  }
  const std::string reason =
      !message.text.empty()
          ? "pgBackRest reports " + message.decisive()
          : std::string(meaning != nullptr ? meaning->meaning : "pgBackRest gave no reason");
  std::string hint(advice);
  if (hint.empty() && !message.hints.empty()) hint = message.hints.front();
  return {kind == stored ? damage : kind, fmt::format("{} failed: {}", attempt, reason), hint,
          finding, message.file};
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
            fmt::format("{} timed out after {}", attempt, to_text(Seconds(result.duration))),
            std::string(advice_host), FindingCode::env_timeout};
  }
  if (result.signal != 0) {
    return {around,
            fmt::format("{}: pgBackRest was terminated by signal {}", attempt, result.signal),
            "signal 9 often comes from the kernel's out-of-memory killer", tool, "pgbackrest"};
  }
  // Depending on the log levels, errors are on standard output or on standard error.
  auto message = parse_tool_message(result.error_output);
  if (message.text.empty()) message = parse_tool_message(result.output);
  const auto* meaning = find_exit_code(result.exit_code);
  if (is_generic(result.exit_code)) {
    if (const auto* cause = nested_cause(message)) meaning = cause;
  }
  auto error = classify(message, meaning, attempt, damage);
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
  return classify(message, meaning, attempt, stored, status);
}

}  // namespace pgrehearse
