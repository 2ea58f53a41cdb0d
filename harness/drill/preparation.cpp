#include "harness/drill/preparation.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <random>
#include <system_error>

#include "harness/common/counted.hpp"
#include "harness/process/command.hpp"
#include "harness/repository/random_target.hpp"
#include "harness/repository/target_window.hpp"

namespace pgrehearse {

Preparation::Preparation(const Scenario& scenario, const Parts& parts, std::filesystem::path state)
    : target(scenario.target),
      scenario_(scenario),
      repository_(parts.repository),
      provisioner_(parts.provisioner),
      primary_(parts.primary),
      state_(std::move(state)) {}

std::span<const Preparation::Step> Preparation::steps() {
  static constexpr auto table = std::to_array<Step>({
      {"account", "", true, &Preparation::find_account_to_run_as},
      {"backup tool", "account", true, &Preparation::find_tool},
      {"repository readable", "backup tool", true, &Preparation::read_repository},
      {"backup for the target", "repository readable", true, &Preparation::choose},
      {"PostgreSQL binaries", "backup for the target", true, &Preparation::find_programs},
      {"WAL archive", "backup for the target", true, &Preparation::list_wal},
      // A drill runs in spite of a gap: its checks report it.
      {"WAL continuity", "WAL archive", false, &Preparation::require_continuous_wal},
      {"disk space", "WAL archive", true, &Preparation::compare_space},
      {"primary reachable", "", false, &Preparation::reach_primary},
  });
  return table;
}

void Preparation::take_all(std::stop_token stop) {
  for (const auto& step : steps()) {
    try {
      (this->*step.take)(stop);
    } catch (const Error& error) {
      if (step.needed_by_run || error.kind() == ErrorKind::interrupted) throw;
    }
  }
}

std::optional<std::string> Preparation::wal_problem() const {
  if (!lineage || lineage->continuous()) return {};
  const auto end = fmt::format("recovery from backup {} ends at {}", backup().label,
                               to_text(lineage->reachable_end));
  if (lineage->gaps.empty()) {
    const auto blocking =
        std::ranges::find_if(lineage->problems, [](const auto& each) { return each.blocks; });
    return fmt::format("{}; {}", blocking->message, end);
  }
  return fmt::format("{} of {} WAL segments missing, first {}; {}", lineage->missing_count,
                     lineage->required_count,
                     file_name(lineage->gaps.front().first_segment(), segment_size), end);
}

Bytes Preparation::required_space() const {
  // Replayed segments are recycled: at most about max_wal_size (1 GB) is kept.
  const std::uint64_t wal =
      lineage
          ? std::min<std::uint64_t>(lineage->required_count * segment_size, std::uint64_t{1} << 30U)
          : 0;
  return {backup().size.count + wal + (std::uint64_t{64} << 20U)};
}

const Backup& Preparation::backup() const {
  if (!choice) {
    throw Error(ErrorKind::repository, "no backup was selected",
                "fix the failed steps above first");
  }
  return choice->backup;
}

std::string Preparation::find_account_to_run_as(std::stop_token) {
  const auto me = current_account();
  if (me.uid != 0 && !scenario_.sandbox.account.empty() && scenario_.sandbox.account != me.name) {
    throw Error(ErrorKind::environment,
                fmt::format("only root can run the instance as '{}'", scenario_.sandbox.account),
                "remove sandbox.run_as, or run pgrehearse as root", FindingCode::env_account,
                scenario_.sandbox.account);
  }
  if (me.uid != 0) return fmt::format("runs as {}", me.name);
  const auto name = scenario_.sandbox.account.empty() ? "postgres" : scenario_.sandbox.account;
  const auto account = find_account(name);
  if (account.uid == 0) {
    throw Error(ErrorKind::environment, "PostgreSQL refuses to run as root",
                "set sandbox.run_as to an unprivileged account", FindingCode::env_account, name);
  }
  return fmt::format("runs as {} (started by root)", account.name);
}

std::string Preparation::find_tool(std::stop_token stop) {
  tool_version = repository_.version(std::move(stop));
  return tool_version;
}

std::string Preparation::read_repository(std::stop_token stop) {
  require_configuration();
  list = repository_.list(std::move(stop));
  const bool stanza = scenario_.repository.type == "pgbackrest";
  return fmt::format("{} {}: {}, status {} ({})", stanza ? "stanza" : scenario_.repository.type,
                     scenario_.repository.stanza, counted(list.backups.size(), "backup"),
                     list.status.code, list.status.message);
}

// pgBackRest ignores a missing file and reports that the stanza has no repository.
void Preparation::require_configuration() const {
  const auto& file = scenario_.repository.configuration;
  if (!file || provisioner_ == nullptr) return;
  std::error_code failure;
  if (std::filesystem::status(*file, failure).type() != std::filesystem::file_type::not_found) {
    return;
  }
  throw Error(ErrorKind::usage, fmt::format("there is no file {}", file->string()),
              "correct repository.config in the scenario", FindingCode::env_config, *file);
}

std::string Preparation::choose(std::stop_token stop) {
  auto spec = scenario_.repository;
  if (spec.backup == "random" || target.within) {
    constexpr std::uint64_t most = 1'000'000'000;
    seed = scenario_.seed.value_or(std::random_device()() % most);
    spec.seed = *seed;
  }
  if (target.within) choose_target(spec, stop);
  choice = choose_backup(list, spec, target);
  for (const auto& other : other_targets) {
    auto earlier = choose_backup(list, spec, other);
    if (earlier.backup.label < choice->backup.label) choice = std::move(earlier);
  }
  return fmt::format("{}: {}", choice->backup.label, choice->reason);
}

// Up to the beginning of the last archived segment: it may be filled only in part.
void Preparation::choose_target(const RepositorySpec& spec, const std::stop_token& stop) {
  auto newest_spec = spec;
  newest_spec.backup = "latest";
  const auto newest = choose_backup(list, newest_spec, {}).backup;
  const auto size = find_segment_size(newest, stop);
  const auto listing = repository_.list_archive(newest, size, stop);
  const auto end =
      trace_lineage(listing, lineage_request(newest, target.timeline, size)).reachable_end;
  const Lsn last_segment{end.value > size ? (end.value - 1) / size * size : 0};
  const auto limit = newest.stop_lsn ? std::max(*newest.stop_lsn, last_segment) : last_segment;
  target = random_target(target, list, newest, limit, std::chrono::system_clock::now(), *seed);
}

SandboxSpec Preparation::sandbox_spec() const {
  auto spec = scenario_.sandbox;
  spec.scenario = scenario_.name;
  spec.postgres_major = backup().postgres_major;
  spec.needed = required_space();
  return with_access(std::move(spec), repository_.access());
}

std::string Preparation::find_programs(std::stop_token stop) {
  if (provisioner_ == nullptr) return "not checked: the drill runs elsewhere";
  programs = provisioner_->probe(sandbox_spec(), std::move(stop));
  return programs;
}

std::uint64_t Preparation::find_segment_size(const Backup& backup, const std::stop_token& stop) {
  constexpr std::uint64_t usual = std::uint64_t{16} << 20U;
  if (const auto size = repository_.wal_segment_size(backup, stop)) return *size;
  // An offline backup names no segment; the other backups of its cluster do.
  for (const auto& other : list.backups) {
    const bool same = other.system_identifier == backup.system_identifier &&
                      other.database_id == backup.database_id && !other.start_segment.empty();
    if (!same) continue;
    if (const auto size = repository_.wal_segment_size(other, stop)) return *size;
  }
  return usual;
}

std::string Preparation::list_wal(std::stop_token stop) {
  segment_size = find_segment_size(backup(), stop);
  archive = repository_.list_archive(backup(), segment_size, std::move(stop));
  lineage = trace_lineage(archive, lineage_request(backup(), target.timeline, segment_size));
  require_possible_target(target, archive, *lineage, std::chrono::system_clock::now());
  return fmt::format("{} segments needed, {} missing, {} to read", lineage->required_count,
                     lineage->missing_count, to_text(lineage->required_bytes));
}

std::string Preparation::require_continuous_wal(std::stop_token) {
  if (const auto problem = wal_problem()) {
    throw Error(ErrorKind::repository, *problem,
                "'pgrehearse map' shows what can be recovered; look for missing segments on the "
                "primary and its standbys, and take a new backup",
                FindingCode::wal_gap);
  }
  return fmt::format("continuous up to {}", to_text(lineage->reachable_end));
}

std::string Preparation::compare_space(std::stop_token) {
  if (provisioner_ == nullptr) {
    return fmt::format("{} needed where the drill runs", to_text(required_space()));
  }
  auto directory = scenario_.sandbox.directory.empty() ? state_ : scenario_.sandbox.directory;
  std::error_code failure;
  while (!std::filesystem::exists(directory, failure) && directory.has_relative_path()) {
    directory = directory.parent_path();
  }
  const auto space = std::filesystem::space(directory, failure);
  if (failure) {
    throw Error(ErrorKind::environment,
                fmt::format("cannot determine the free space of {}: {}", directory.string(),
                            failure.message()),
                "set sandbox.directory to an existing directory", FindingCode::env_disk_full,
                directory);
  }
  const Bytes free{getuid() == 0 ? space.free : space.available};
  if (free < required_space()) {
    throw Error(ErrorKind::environment,
                fmt::format("{} has {} free, the drill needs {}", directory.string(), to_text(free),
                            to_text(required_space())),
                "free disk space, or set sandbox.directory to a larger file system",
                FindingCode::env_disk_full, directory);
  }
  return fmt::format("{} free in {}, {} needed", to_text(free), directory.string(),
                     to_text(required_space()));
}

std::string Preparation::reach_primary(std::stop_token stop) {
  if (primary_ == nullptr) return "no primary in the scenario";
  primary_identity = primary_->identity(stop);
  auto found = fmt::format("{}: PostgreSQL {}, system identifier {}; connected to {}, {}",
                           primary_->description(), primary_identity->server_version / 10000,
                           primary_identity->system_identifier, primary_identity->member,
                           primary_identity->reason);
  primary_state = read_primary_state(*primary_, std::move(stop));
  const auto ahead = primary_state->clock_ahead;
  if (abs(ahead) > clock_tolerance) {
    found += fmt::format("; its clock is {} {} compared with this host's",
                         to_text(Seconds(abs(ahead))), ahead > Seconds(0) ? "fast" : "slow");
  }
  return found;
}

}  // namespace pgrehearse
