#include "harness/cli/prove_scenario.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <random>
#include <thread>

#include "harness/cli/demo_laboratory.hpp"
#include "harness/cli/drill_session.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/faults/proof/proof_directory.hpp"
#include "harness/faults/proof/proof_formats.hpp"
#include "harness/faults/repository_copies.hpp"
#include "harness/faults/repository_copy.hpp"
#include "harness/postgres/binaries.hpp"
#include "harness/process/acting_account.hpp"
#include "harness/report/finding_codes.hpp"
#include "harness/scenario/language/repository_kinds.hpp"
#include "harness/scenario/scenario_parser.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

// Checks that need the primary, or whose result depends on the age of the backup.
struct UncheckableCheck {
  std::string_view check;
  bool unless_from_file = false;
};
constexpr auto uncheckable_checks = std::to_array<UncheckableCheck>({
    {.check = "comparison", .unless_from_file = true},
    {.check = "row_counts", .unless_from_file = true},
    {.check = "replication_slots"},
    {.check = "freshness"},
});

bool is_uncheckable(const CheckRequest& request) {
  return std::any_of(uncheckable_checks.begin(), uncheckable_checks.end(), [&](const auto& row) {
    return request.check == row.check &&
           !(row.unless_from_file &&
             request.settings.get_or<std::string>("against", "primary") != "primary");
  });
}

// Removes what cannot be checked with a copy. Returns the names of what was removed.
std::vector<std::string> remove_uncheckable(Scenario& scenario) {
  std::vector<std::string> left_out;
  if (scenario.primary) left_out.emplace_back("the primary");
  scenario.primary.reset();
  for (const auto& request : scenario.checks) {
    if (is_uncheckable(request)) left_out.push_back("check " + request.name);
  }
  std::erase_if(scenario.checks, is_uncheckable);
  if (scenario.objectives.rto) left_out.emplace_back("objective rto");
  if (scenario.objectives.rpo) left_out.emplace_back("objective rpo");
  scenario.objectives = {};
  scenario.reports.clear();
  return left_out;
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

constexpr auto unusable_repository = std::to_array<FindingCode>(
    {FindingCode::repo_cipher, FindingCode::repo_damaged, FindingCode::repo_file_missing,
     FindingCode::repo_info, FindingCode::repo_invalid, FindingCode::repo_listing,
     FindingCode::repo_mismatch, FindingCode::repo_stanza});

// An unreadable repository is a usage error here: there is nothing to inject faults into.
[[noreturn]] void refuse(const Error& error, const fs::path& scenario) {
  const bool of_repository = error.kind() == ErrorKind::repository ||
                             std::ranges::count(unusable_repository, error.code()) > 0 ||
                             error.code() == FindingCode::env_permission;
  if (!of_repository) throw error;
  throw Error(
      ErrorKind::usage,
      fmt::format("the repository of {} cannot be used: {}", scenario.native(), error.what()),
      error.hint(), error.code(), error.object());
}

ConfiguredRepository posix_repository(const Scenario& scenario, const Account& account) {
  if (scenario.repository.type != default_repository_type) {
    throw Error(
        ErrorKind::usage,
        fmt::format("prove injects faults into copies of pgBackRest repositories only; this "
                    "scenario has repository.type: {}",
                    scenario.repository.type),
        "run 'pgrehearse prove' without a scenario");
  }
  const auto& spec = scenario.repository;
  std::string elsewhere;
  for (auto& repository : read_configured_repositories(spec, account)) {
    if (spec.key && repository.key != *spec.key) continue;
    if (repository.remote.empty()) return repository;
    elsewhere += (elsewhere.empty() ? "" : ", ") + repository.remote;
  }
  if (elsewhere.empty()) {
    throw Error(ErrorKind::usage,
                fmt::format("pgBackRest's configuration has no repo{}", spec.key.value_or(1)),
                "set repository.repo to a configured repository");
  }
  throw Error(
      ErrorKind::usage,
      "prove needs a repository in a directory on this host (repo-type posix or cifs), but " +
          elsewhere,
      "run prove on the repository host, or copy the stanza's archive and backup directories to "
      "this host and use --set repository.config=FILE");
}

class ScenarioProof {
 public:
  ScenarioProof(const ScenarioProofRequest& request, const CommonOptions& common,
                std::stop_token stop)
      : request_(request),
        common_(common),
        stop_(std::move(stop)),
        scenario_(load_scenario(request.scenario, request.overrides, all_checks())),
        account_(working_account(scenario_)),
        configured_(posix_repository(scenario_, account_)) {
    std::random_device random;
    id_ = fmt::format("prove-{:06x}", random() & 0xFFFFFFU);
    original_.scenario = request.scenario;
    original_.path = configured_.path;
    original_.stanza = scenario_.repository.stanza;
    original_.left_out = remove_uncheckable(scenario_);
    scenario_.repository.key = configured_.key;
  }

  ProofScore run(const std::vector<Fault>& faults) {
    const auto& directory = request_.directory.empty() ? common_.state : request_.directory;
    const ProofDirectory directory_of_proof(common_.state, directory, id_, account_);
    make_copy(directory_of_proof.path());
    // These variables take precedence over configuration files and could direct drills to the
    // original.
    unset_pgbackrest_variables(request_.say);
    const auto runner = real_command_runner();
    remove_uncopied_backups(*runner);
    copies_.emplace(std::move(copy_), *runner);
    const auto drills = ProofDirectory::for_drills(common_.state, directory, id_);
    auto score = prove(faults, *copies_, options(drills.path()), stop_);
    original_.change =
        changes_between(before_, list_repository(configured_.path, original_.stanza));
    score.original = std::move(original_);
    return score;
  }

 private:
  // The only step that reads the original.
  void make_copy(const fs::path& root) {
    try {
      before_ = list_repository(configured_.path, original_.stanza);
      original_.files = before_.size();
      describe();
      copy_.root = root;
      copy_.repository = root / "original";
      const auto files = files_to_copy(order());
      for (const auto& file : files) original_.copied_bytes += file.size;
      require_space();
      say(fmt::format("copying backup {} and its dependencies: {} files, {}",
                      original_.backups.back(), files.size(),
                      to_text(Bytes{original_.copied_bytes})));
      copy_repository(order(), files, stop_);
    } catch (const Error& error) {
      refuse(error, request_.scenario);
    }
  }

  // Uses pgBackRest's list of backups, as a drill does.
  void describe() {
    const auto parts = wire(scenario_, common_.state, id_ + "-info");
    Preparation preparation(scenario_, preparation_parts(parts), common_.state);
    preparation.take_all(stop_);
    const auto& backup = preparation.choice->backup;
    auto backups = backup.references;
    std::sort(backups.begin(), backups.end());
    backups.push_back(backup.label);
    const auto& full = find_backup(preparation.list, backups.front());
    archive_ = fmt::format("{}-{}", backup.postgres_version, backup.database_id);
    first_segment_ = full.start_segment;
    cluster_size_ = preparation.required_space();
    original_.backups = backups;
    const bool local = scenario_.sandbox.type == "local";
    const auto now = std::chrono::system_clock::now();
    copy_ = {.id = id_,
             .state = common_.state,
             .original = configured_,
             .traits = {.stanza = original_.stanza,
                        .chain = std::move(backups),
                        .segment_size = preparation.segment_size,
                        .first_segment = backup.start_segment,
                        .encrypted = !configured_.cipher_type.empty()},
             .drill = {.root = geteuid() == 0,
                       .local = local,
                       .follows_timelines = scenario_.target.timeline == "latest" &&
                                            scenario_.target.type != TargetType::immediate,
                       .switches_timeline = !preparation.lineage->switches.empty(),
                       .minimum_disk = {cluster_size_.count + (std::uint64_t{256} << 20U)},
                       .oldest_backup = now - full.stop_time},
             .account = account_,
             .pgbackrest = scenario_.repository.binary,
             .binaries = local ? find_binaries(backup.postgres_major, scenario_.sandbox.binaries)
                               : fs::path(),
             .postgres_major = backup.postgres_major,
             .scenario = text_of(request_.scenario),
             .overrides = request_.overrides,
             .facts = {{"stanza", original_.stanza},
                       {"newest_backup", backup.label},
                       {"start_lsn", to_text(backup.start_lsn.value_or(Lsn{}))},
                       // To the second, without a zone: the faults add a wrong zone.
                       {"moment", to_postgres_timestamp(now).substr(0, 19)}}};
  }

  static const Backup& find_backup(const BackupList& list, const std::string& label) {
    const auto found = std::find_if(list.backups.begin(), list.backups.end(),
                                    [&](const auto& listed) { return listed.label == label; });
    if (found != list.backups.end()) return *found;
    throw Error(ErrorKind::repository, fmt::format("backup {} is not listed", label),
                "the backup to restore depends on it", FindingCode::backup_reference, label);
  }

  [[nodiscard]] CopyOrder order() const {
    return {.from = configured_.path,
            .to = copy_.repository,
            .stanza = original_.stanza,
            .chain = copy_.traits.chain,
            .archive = archive_,
            .first_segment = first_segment_,
            .account = account_};
  }

  void require_space() const {
    const auto free = fs::space(copy_.root).available;
    const auto needed = original_.copied_bytes + cluster_size_.count;
    if (free >= needed) return;
    throw Error(ErrorKind::environment,
                fmt::format("{} has {} free; a copy of the backup and one drill need {}",
                            copy_.root.parent_path().native(), to_text(Bytes{free}),
                            to_text(Bytes{needed})),
                "choose a larger file system with --directory", FindingCode::env_disk_full,
                copy_.root.native());
  }

  // backup.info also lists backups that were not copied: let pgBackRest remove them.
  void remove_uncopied_backups(CommandRunner& runner) const {
    const auto own = copy_.root / "pgbackrest";
    const ActingAccount acting(account_);
    for (const auto* part : {"lock", "log", "spool"}) fs::create_directories(own / part);
    const auto configuration = copy_.root / "pgbackrest.conf";
    std::ofstream(configuration) << configuration_of_copy(configured_, copy_.repository, own);
    fs::permissions(configuration, fs::perms(0600));
    const auto result = runner.run(
        {.program = copy_.pgbackrest,
         .arguments = {"--config=" + configuration.native(), "--stanza=" + original_.stanza,
                       "--log-level-console=off", "--log-level-stderr=error",
                       "--repo1-retention-full=9999999", "expire"},
         .account = account_},
        stop_);
    if (result.succeeded()) return;
    throw Error(ErrorKind::environment,
                "pgBackRest rejected the copy: " + std::string(trim(result.error_output)),
                "run 'pgbackrest verify' on the original repository", FindingCode::env_tool);
  }

  [[nodiscard]] int jobs() {
    if (request_.jobs > 0) return request_.jobs;
    const auto copies_that_fit = fs::space(copies_->copy().root).available / cluster_size_.count;
    const std::uint64_t processors = std::thread::hardware_concurrency();
    return static_cast<int>(std::clamp<std::uint64_t>(copies_that_fit, 1, 2 * processors));
  }

  ProofOptions options(const fs::path& drills) {
    return {.jobs = jobs(),
            .clean_runs = request_.clean_runs > 0 ? request_.clean_runs - 1 : 0,
            .rehearse =
                [this, drills](const InjectedFault& injected, std::stop_token stop) {
                  return rehearse(injected, drills, std::move(stop));
                },
            .on_control = [this](const Report& report) { record_control_run(report); },
            .advise = [this](const FaultResult& result) { return advice(result); },
            .on_fault = [this](const FaultResult& result) { say(line_of(result)); },
            .on_clean_run = [this](const CleanRun& run) { say(line_of(run)); }};
  }

  Report rehearse(const InjectedFault& injected, const fs::path& drills,
                  std::stop_token stop) const {
    auto scenario = parse_scenario(injected.scenario, request_.scenario.native(),
                                   injected.site.overrides, all_checks());
    remove_uncheckable(scenario);
    return run_silent_drill(scenario, scenario.timeout.value_or(drill_timeout_), drills,
                            std::move(stop));
  }

  // Remembers where replay ends and how long a drill takes.
  void record_control_run(const Report& report) {
    auto& copy = copies_->copy();
    double seconds = 0;
    for (const auto& phase : report.phases) seconds += phase.seconds;
    constexpr double slower = 20;  // several run in parallel, and some faults slow a drill down
    drill_timeout_ = std::max<std::chrono::milliseconds>(
        std::chrono::minutes(10),
        std::chrono::milliseconds(static_cast<long>(seconds * slower * 1000)));
    copy.facts["drill_timeout"] = fmt::format("{}s", static_cast<long>(seconds * 4) + 10);
    const auto& landing = report.landing;
    if (!landing || !landing->lsn || !landing->timeline || landing->lsn->value == 0) return;
    // The last replayed byte, not the first one after it.
    const auto size = copy.traits.segment_size;
    copy.traits.last_segment =
        file_name(segment_at(*landing->timeline, Lsn{landing->lsn->value - 1}, size), size);
  }

  // The check that would have reported the missed finding.
  [[nodiscard]] std::string advice(const FaultResult& result) const {
    auto wanted = result.fault.expect.codes;
    const auto& alternatives = result.fault.expect.alternatives;
    wanted.insert(wanted.end(), alternatives.begin(), alternatives.end());
    for (const auto& code : wanted) {
      if (std::find(result.codes.begin(), result.codes.end(), code) != result.codes.end()) continue;
      for (const auto& check : all_checks()) {
        const auto& codes = check.finds;
        const bool asked =
            check.always ||
            std::any_of(scenario_.checks.begin(), scenario_.checks.end(),
                        [&](const auto& request) { return request.check == check.name; });
        if (asked || std::find(codes.begin(), codes.end(), code) == codes.end()) continue;
        return fmt::format("; the check '{}' would report {}, but the scenario does not include it",
                           check.name, pgrehearse::text_of(code));
      }
    }
    return {};
  }

  void say(const std::string& line) const { request_.say(line); }

  const ScenarioProofRequest& request_;
  const CommonOptions& common_;
  std::stop_token stop_;
  Scenario scenario_;  // without what was removed
  Account account_;
  ConfiguredRepository configured_;
  std::string id_;
  OriginalRepository original_;
  RepositoryListing before_;
  std::string archive_;        // "15-1"
  std::string first_segment_;  // of the whole chain
  Bytes cluster_size_;         // with its WAL
  RepositoryCopy copy_;
  std::optional<RepositoryCopies> copies_;
  std::chrono::milliseconds drill_timeout_{std::chrono::hours(24)};
};

}  // namespace

ProofScore prove_scenario(const ScenarioProofRequest& request, const std::vector<Fault>& faults,
                          const CommonOptions& common, const std::stop_token& stop) {
  return ScenarioProof(request, common, stop).run(faults);
}

Report run_silent_drill(const Scenario& scenario, std::chrono::milliseconds timeout,
                        const fs::path& state, std::stop_token stop) {
  CommonOptions quiet{.state = state};
  quiet.quiet = true;
  try {
    const SessionOptions options{.shared_ledger = false, .timeout = timeout};
    return run_session(scenario, options, quiet, std::move(stop)).report;
  } catch (const Error& error) {
    // `run` would print an error instead of a report.
    Report refused;
    refused.verdict = verdict_of(error.kind()).value_or(Verdict::unknown);
    refused.error_kind = name_of(error.kind());
    refused.diagnosis = {.summary = error.what(), .code = error.code(), .object = error.object()};
    return refused;
  }
}

}  // namespace pgrehearse
