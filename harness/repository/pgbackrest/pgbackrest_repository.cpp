#include "harness/repository/pgbackrest/pgbackrest_repository.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/process/acting_account.hpp"
#include "harness/repository/pgbackrest/archive_listing.hpp"
#include "harness/repository/pgbackrest/pgbackrest_access.hpp"
#include "harness/repository/pgbackrest/pgbackrest_exit_code.hpp"
#include "harness/repository/pgbackrest/pgbackrest_info.hpp"
#include "harness/repository/pgbackrest/pgbackrest_message.hpp"
#include "harness/repository/pgbackrest/pgbackrest_options.hpp"
#include "harness/repository/pgbackrest/pgbackrest_restore.hpp"
#include "harness/repository/pgbackrest/pgbackrest_verification.hpp"
#include "harness/repository/pgbackrest/wal_segment_size.hpp"

namespace pgrehearse {

namespace {

using std::chrono::hours;
using std::chrono::minutes;

// An unreachable repository must not block a drill; pgBackRest retries a closed S3 port for four
// minutes.
constexpr minutes info_deadline{2};
constexpr minutes listing_deadline{5};
constexpr hours restore_deadline{24};
constexpr hours verify_deadline{12};
constexpr minutes damage_search_deadline{30};

constexpr std::size_t large_output = std::size_t{1} << 30;

std::string archive_id(const Backup& backup) {
  return fmt::format("{}-{}", backup.postgres_version, backup.database_id);
}

std::string archive_path(const std::string& stanza, const Backup& backup) {
  return fmt::format("archive/{}/{}", stanza, archive_id(backup));
}

std::vector<std::string> concatenate(std::vector<std::string> first,
                                     std::vector<std::string> second) {
  std::ranges::move(second, std::back_inserter(first));
  return first;
}

}  // namespace

PgBackRestRepository::PgBackRestRepository(RepositorySpec spec, CommandRunner& runner,
                                           Account account, std::filesystem::path directory)
    : spec_(std::move(spec)),
      runner_(runner),
      account_(std::move(account)),
      directory_(std::move(directory)) {}

Command PgBackRestRepository::command(PgBackRestCommand name, std::optional<int> key,
                                      std::vector<std::string> arguments,
                                      std::chrono::milliseconds deadline) const {
  return {.program = spec_.binary,
          .arguments =
              concatenate(pgbackrest_options(name, spec_, key, directory_), std::move(arguments)),
          .account = account_,
          .timeout = deadline,
          .keep_output = large_output};
}

std::string PgBackRestRepository::output_of(const Command& command, std::string_view attempt,
                                            std::stop_token stop) {
  auto result = runner_.run(command, stop);
  if (!result.succeeded()) throw error_of(result, attempt, ErrorKind::repository);
  if (result.truncated) {
    throw Error(ErrorKind::environment, fmt::format("{} produced too much output", attempt), {},
                FindingCode::env_tool);
  }
  return std::move(result.output);
}

std::string PgBackRestRepository::version(std::stop_token stop) {
  try {
    const auto output = output_of({.program = spec_.binary,
                                   .arguments = {"version"},
                                   .account = account_,
                                   .timeout = minutes(1)},
                                  "reading the pgBackRest version", stop);
    const auto lines = lines_of(output);
    return lines.empty() ? spec_.binary : excerpt(lines.front(), 60);
  } catch (const Error& error) {
    if (error.code() != FindingCode::env_binary) throw;
    throw Error(ErrorKind::environment, error.what(),
                "install the package pgbackrest, or set repository.binary", FindingCode::env_binary,
                spec_.binary);
  }
}

std::string PgBackRestRepository::info(std::optional<int> key, std::vector<std::string> options,
                                       std::stop_token stop) {
  return output_of(
      command(PgBackRestCommand::info, key,
              concatenate(std::move(options), {"--output=json", "info"}), info_deadline),
      fmt::format("listing the backups of stanza '{}'", spec_.stanza), stop);
}

std::string PgBackRestRepository::info_of_all_stanzas(std::stop_token stop) {
  auto spec = spec_;
  spec.stanza.clear();
  return PgBackRestRepository(spec, runner_, account_, directory_).info(spec.key, {}, stop);
}

BackupList PgBackRestRepository::list(std::stop_token stop) {
  auto list = parse_pgbackrest_info(info(spec_.key, {}, stop), spec_.stanza);
  constexpr int no_backups_yet = 2;
  if (list.backups.empty() && list.status.code != 0 && list.status.code != no_backups_yet) {
    refuse_status(list.status, stop);
  }
  for (auto& backup : list.backups) {
    if (!backup.error) continue;
    backup.errors = parse_error_list(info(backup.repository_key, {"--set=" + backup.label}, stop));
  }
  return list;
}

void PgBackRestRepository::refuse_status(const RepositoryStatus& status, std::stop_token stop) {
  const auto attempt = fmt::format("reading stanza '{}'", spec_.stanza);
  constexpr int other = 99;
  if (status.code == other || status.message.find("Error]") != std::string::npos) {
    throw error_of_status(status.message, attempt);
  }
  const auto names = stanza_names(info_of_all_stanzas(stop));
  const auto near = nearest(spec_.stanza, names);
  std::string hint = "check with 'pgbackrest info' that the repository is mounted and has backups";
  if (near && *near != spec_.stanza) {
    hint = fmt::format("did you mean '{}'?", *near);
  } else if (!names.empty()) {
    hint = "stanzas in the repository: " + join(names, ", ");
  }
  // With other stanzas in the repository, the scenario names the wrong one.
  const bool misspelled = !names.empty() && std::ranges::find(names, spec_.stanza) == names.end();
  throw Error(misspelled ? ErrorKind::usage : ErrorKind::repository,
              fmt::format("{} failed: pgBackRest reports {} (status {})", attempt,
                          excerpt(status.message), status.code),
              hint, FindingCode::repo_stanza, spec_.stanza);
}

ParsedArchive PgBackRestRepository::read_archive(const Backup& backup, std::uint64_t segment_size,
                                                 std::stop_token stop) {
  const auto id = archive_id(backup);
  const auto listed_at = std::chrono::system_clock::now();
  const auto listing =
      command(PgBackRestCommand::repo_ls, backup.repository_key,
              {"--output=json", "--recurse", "repo-ls", archive_path(spec_.stanza, backup)},
              listing_deadline);
  auto parsed = parse_archive_listing(output_of(listing, "listing the WAL archive " + id, stop), id,
                                      segment_size);
  parsed.listing.listed_at = listed_at;
  return parsed;
}

std::optional<std::uint64_t> PgBackRestRepository::wal_segment_size(const Backup& backup,
                                                                    std::stop_token stop) {
  if (const auto size = deduce_segment_size(backup)) return size;
  return deduce_segment_size(backup, read_archive(backup, smallest_segment_size, stop).listing);
}

ArchiveListing PgBackRestRepository::list_archive(const Backup& backup, std::uint64_t segment_size,
                                                  std::stop_token stop) {
  auto parsed = read_archive(backup, segment_size, stop);
  for (const auto& file : parsed.history_files) {
    // repo-get decrypts; history files are never compressed (measured with 2.45, zst and aes).
    const auto content = output_of(
        command(PgBackRestCommand::repo_get, backup.repository_key,
                {"repo-get", archive_path(spec_.stanza, backup) + "/" + file}, info_deadline),
        "reading the timeline history " + file, stop);
    const auto timeline = static_cast<Timeline>(std::stoul(file.substr(0, 8), nullptr, 16));
    try {
      parsed.listing.histories[timeline] = parse_timeline_history(content);
    } catch (const Error& error) {
      throw Error(error.kind(), fmt::format("{}: {}", file, excerpt(error.what())), error.hint(),
                  error.code(), file);
    }
  }
  return std::move(parsed.listing);
}

void PgBackRestRepository::restore(const Backup& backup, const RecoveryTarget& target,
                                   Sandbox& sandbox,
                                   const std::function<void(const RestoreProgress&)>& on_progress,
                                   std::stop_token stop) {
  auto arguments = concatenate(
      pgbackrest_options(PgBackRestCommand::restore, spec_, backup.repository_key,
                         sandbox.paths().pgbackrest),
      restore_options(backup, target, sandbox.paths(), sandbox.cpus(), spec_.databases));
  arguments.emplace_back("restore");
  double reported = -1;
  const auto on_line = [&](std::string_view line) {
    const auto fraction = parse_restore_progress(line);
    if (!fraction || *fraction < reported + 0.001) return;
    reported = *fraction;
    const auto done = static_cast<double>(backup.size.count) * reported;
    on_progress({.fraction = reported, .done = {static_cast<std::uint64_t>(done)}});
  };
  const auto result =
      sandbox.run_backup_tool({.program = spec_.binary,
                               .arguments = std::move(arguments),
                               .timeout = restore_deadline,
                               .on_line = on_progress ? on_line : decltype(Command::on_line)()},
                              stop);
  if (result.succeeded()) return;
  const auto error = error_of(result, "restore of backup " + backup.label, ErrorKind::restore);
  if (error.kind() != ErrorKind::restore) throw error;
  if (!error.object().empty()) {
    // A checksum error names the restored file, which has the same relative path in the repository.
    const auto data = sandbox.paths().data.string() + "/";
    if (!error.object().starts_with(data)) throw error;
    throw Error(error.kind(), error.what(), error.hint(), error.code(),
                error.object().substr(data.size()));
  }
  const auto file = find_damaged_file(backup, stop);
  if (file.empty()) throw error;
  throw Error(error.kind(), fmt::format("{}; the damaged file is {}", error.what(), file),
              error.hint(), error.code(), file);
}

std::string PgBackRestRepository::find_damaged_file(const Backup& backup, std::stop_token stop) {
  const auto result = runner_.run(
      command(PgBackRestCommand::verify, backup.repository_key,
              {"--output=text", "--verbose", "--process-max=2", "verify"}, damage_search_deadline),
      stop);
  const auto verification = parse_verification(result.output);
  if (!verification) return {};
  auto labels = backup.references;
  labels.push_back(backup.label);
  for (const auto& problem : verification->problems) {
    for (const auto& label : labels) {
      const auto at = problem.find(label + "/");
      if (at == std::string::npos) continue;
      return problem.substr(at, problem.find_first_of("': ", at) - at);
    }
  }
  return {};
}

std::vector<std::string> PgBackRestRepository::archive_get(const Backup& backup,
                                                           const Sandbox& sandbox, WalFetch fetch) {
  const auto name = fetch == WalFetch::single ? PgBackRestCommand::archive_get
                                              : PgBackRestCommand::archive_get_ahead;
  std::vector<std::string> command{spec_.binary};
  command = concatenate(std::move(command), pgbackrest_options(name, spec_, backup.repository_key,
                                                               sandbox.paths().pgbackrest));
  return concatenate(std::move(command),
                     {"--reset-pg1-host", "--pg1-path=" + sandbox.paths().data.string(),
                      std::string(name_of(name))});
}

RepositoryAccess PgBackRestRepository::access() {
  const auto variables = pgbackrest_variables();
  const auto files = pgbackrest_configuration_files(spec_.configuration, variables);
  std::vector<std::string> texts;
  {
    const ActingAccount acting(account_);
    for (const auto& file : files) {
      std::ifstream stream(file);
      texts.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
    }
  }
  auto access = parse_pgbackrest_access(texts, variables, spec_);
  access.paths = with_link_targets(std::move(access.paths));
  access.paths.insert(access.paths.begin(), files.begin(), files.end());
  return access;
}

BackupRepository::Verification PgBackRestRepository::verify(const Backup& backup,
                                                            std::stop_token stop) {
  // Without --verbose there is no text for an intact repository (measured with 2.45).
  const auto verification_command = command(
      PgBackRestCommand::verify, backup.repository_key,
      {"--output=text", "--verbose",
       fmt::format("--process-max={}", std::max(1U, std::thread::hardware_concurrency() / 2)),
       "verify"},
      verify_deadline);
  const std::string attempt = "verifying the repository";
  const auto result = runner_.run(verification_command, stop);
  if (!result.succeeded()) throw error_of(result, attempt, ErrorKind::repository);
  auto verification = parse_verification(result.output);
  if (!verification) {
    throw Error(ErrorKind::environment, attempt + " gave no result: " + excerpt(result.output),
                "run 'pgbackrest verify --output=text --verbose' and check its output",
                FindingCode::env_tool);
  }
  // The result itself would report damage in the repository.
  if (verification->output.find("[13] Permission denied") != std::string::npos) {
    throw Error(ErrorKind::environment, attempt + " failed: permission denied for some files",
                std::string(find_exit_code(53)->advice), FindingCode::env_permission);
  }
  return std::move(*verification);
}

}  // namespace pgrehearse
