#include "harness/faults/fault_laboratory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/laboratory/scenario_text.hpp"
#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/sandbox_files.hpp"
#include "scenarios/embedded.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

constexpr int rounds = 6;
constexpr std::array<std::string_view, 3> kinds{"plain", "encrypted", "timelines"};
// Also contains TOAST tables as "toast:sales.documents".
constexpr std::string_view relation_files =
    "select n.nspname || '.' || c.relname, pg_relation_filepath(c.oid), "
    "case when c.reltoastrelid <> 0 then pg_relation_filepath(c.reltoastrelid) end "
    "from pg_class c join pg_namespace n on n.oid = c.relnamespace "
    "where n.nspname in ('sales', 'pg_catalog') and c.relkind in ('r', 'i', 'S')";

bool has_stage(const Fault& fault, DamageStage stage) {
  return std::any_of(fault.damage.begin(), fault.damage.end(), [&](const auto& request) {
    return find_damage(request.action)->stage == stage;
  });
}

// Row counts before any damage, in the format of the check row_counts.
void record_counts(InjectionSite& site) {
  for (const auto* database : {"shop", "billing"}) {
    auto connection = site.primary->connect(database, site.stop);
    const auto relations = connection.query(
        "select schemaname || '.' || relname from pg_stat_user_tables where relname <> 'events'");
    for (const auto& row : relations.rows) {
      const auto& relation = row.at(0).value();
      site.rows[database][relation] =
          std::stoll(connection.query("select count(*) from " + relation).text(0, 0));
    }
  }
}

void write_counts(InjectionSite& site) {
  std::string databases;
  for (const auto& [database, relations] : site.rows) {
    std::string counts;
    for (const auto& [relation, count] : relations) {
      counts += fmt::format("{}\"{}\": {}", counts.empty() ? "" : ", ", relation, count);
    }
    databases += fmt::format("{}\"{}\": {{{}}}", databases.empty() ? "" : ", ", database, counts);
  }
  const auto file = site.primary->paths().root / "counts.json";
  write_file_of(site.account, file, fmt::format("{{{}}}\n", databases), 0600);
  site.facts["counts"] = file.native();
}

void find_files(InjectionSite& site) {
  auto connection = site.primary->connect("shop", site.stop);
  const auto relations = connection.query(std::string(relation_files));
  for (const auto& row : relations.rows) {
    site.files[row.at(0).value()] = row.at(1).value_or("");
    if (row.at(2)) site.files["toast:" + row.at(0).value()] = *row.at(2);
  }
  const auto databases = connection.query("select datname, oid from pg_database");
  for (const auto& row : databases.rows) {
    site.files["database:" + row.at(0).value()] = "base/" + row.at(1).value();
  }
  connection.query("checkpoint");
}

// For recovery targets: the time after all work, and the start of the newest backup.
void note_targets(InjectionSite& site) {
  auto connection = site.primary->connect("postgres", site.stop);
  site.facts["moment"] =
      connection.query("select to_char(clock_timestamp(), 'YYYY-MM-DD HH24:MI:SS')").text(0, 0);
  site.facts["newest_backup"] = place_of(site).newest_backup();
  site.facts["start_lsn"] = place_of(site).newest_start_lsn();
}

// "20261121-170519F_20261121-170525I" depends on "20261121-170519F".
void record_recovery_facts(InjectionSite& site) {
  const auto newest = place_of(site).newest_backup();
  site.traits.chain = {newest.substr(0, newest.find('_')), newest};
}

void work(InjectionSite& site, int first, int last) {
  auto connection = site.primary->connect("shop", site.stop);
  for (int round = first; round <= last; ++round) {
    connection.query(fmt::format("insert into sales.events (round) values ({})", round));
    connection.query("select pg_switch_wal()");
  }
  connection.query("select pg_create_restore_point('after_work')");
  site.primary->switch_wal_and_wait(site.stop);
}

// As after a failover: the primary continues on a new timeline.
void begin_timeline(InjectionSite& site) {
  auto& laboratory = *site.primary;
  laboratory.stop(site.stop);
  write_file_of(laboratory.account(), laboratory.paths().data / "standby.signal", "", 0600);
  laboratory.start(site.stop);
  laboratory.connect("postgres", site.stop).query("select pg_promote()");
}

void work_after_backup(InjectionSite& site, bool with_failover) {
  work(site, 1, with_failover ? rounds / 2 : rounds);
  if (!with_failover) return;
  begin_timeline(site);
  work(site, rounds / 2 + 1, rounds);
}

std::string scenario_of(const InjectionSite& site) {
  auto facts = site.facts;
  facts["name"] = "prove";
  facts["repository"] = place_of(site).scenario_value();
  facts["dsn"] = site.primary->dsn("postgres");
  facts["account"] = site.account.name;
  facts["rounds"] = std::to_string(rounds);
  return expand_scenario(embedded::faults_drill_yaml, facts);
}

}  // namespace

FaultLaboratories::FaultLaboratories(Place place, CommandRunner& runner)
    : place_(std::move(place)), runner_(runner) {
  for (const auto kind : kinds) shared_[std::string(kind)];
}

LaboratoryOptions FaultLaboratories::options(const std::string& name) const {
  return {.id = place_.id + "-" + name,
          .state = place_.state,
          .directory = place_.directory,
          .tool = place_.tool,
          .wal_segment_size = {std::uint64_t{1} << 20U}};
}

void FaultLaboratories::build_seed(const std::stop_token& stop) {
  seed_ = Laboratory::create(options("seed"), runner_, stop);
  seed_->start(stop);
  seed_->create_stanza(stop);
  seed_->run_script("schema", embedded::faults_schema_sql, {}, stop);
  seed_->back_up(BackupType::full, stop);
  seed_->stop(stop);
}

std::unique_ptr<Laboratory> FaultLaboratories::clone(const std::string& name,
                                                     const std::string& kind,
                                                     const std::stop_token& stop) {
  auto wanted = options(name);
  wanted.seed_data = seed_->paths().data;
  const bool encrypted = kind == "encrypted";
  if (encrypted) {
    wanted.cipher_passphrase = "only-for-this-laboratory";
  } else {
    wanted.seed_repository = seed_->paths().repository;
  }
  auto laboratory = Laboratory::create(wanted, runner_, stop);
  laboratory->start(stop);
  if (encrypted) {
    laboratory->create_stanza(stop);
    laboratory->back_up(BackupType::full, stop);
  }
  laboratory->run_script("work", embedded::faults_work_sql, {}, stop);
  return laboratory;
}

Laboratory& FaultLaboratories::other(const std::stop_token& stop) {
  std::call_once(other_built_, [&] {
    auto laboratory = Laboratory::create(options("other"), runner_, stop);
    laboratory->start(stop);
    laboratory->create_stanza(stop);
    laboratory->back_up(BackupType::full, stop);
    laboratory->switch_wal_and_wait(stop);
    other_ = std::move(laboratory);
  });
  return *other_;
}

InjectionSite FaultLaboratories::site_of(Laboratory& laboratory, const std::string& name,
                                         const std::stop_token& stop) {
  return {.primary = &laboratory,
          .directory = seed_->paths().root / name,
          .repository = laboratory.paths().repository,
          .configuration = laboratory.paths().configuration,
          .traits = {.stanza = laboratory.options().stanza,
                     .segment_size = laboratory.options().wal_segment_size.count,
                     .encrypted = !laboratory.options().cipher_passphrase.empty(),
                     .tool = place_.tool},
          .account = laboratory.account(),
          .pgbackrest = place_.tool == BackupTool::barman ? laboratory.options().barman
                                                          : laboratory.options().pgbackrest,
          .binaries = fs::path(laboratory.program("postgres")).parent_path(),
          .earlier_data = seed_->paths().data,
          .facts = {{"tablespaces", laboratory.paths().tablespaces},
                    {"sockets", laboratory.paths().sockets},
                    {"configuration", laboratory.paths().configuration},
                    {"dsn", laboratory.dsn("postgres")},
                    {"archive_command", quote_setting(laboratory_archive_command(
                                            laboratory.options(), laboratory.paths()))},
                    {"tool", std::string(name_of(place_.tool))},
                    {"drill_timeout", "60s"},
                    {"stanza", laboratory.options().stanza}},
          .other = [this, stop]() -> Laboratory& { return other(stop); },
          .runner = runner_,
          .stop = stop};
}

void FaultLaboratories::build_shared(const std::string& kind, Shared& shared,
                                     const std::stop_token& stop) {
  shared.laboratory = clone(kind, kind, stop);
  auto site = site_of(*shared.laboratory, kind, stop);
  record_counts(site);
  write_counts(site);
  shared.laboratory->back_up(BackupType::incremental, stop);
  work_after_backup(site, kind == "timelines");
  note_targets(site);
  shared.facts = site.facts;
}

FaultLaboratories::Shared& FaultLaboratories::shared(const std::string& kind,
                                                     const std::stop_token& stop) {
  auto& entry = shared_.at(kind);
  std::call_once(entry.built, [&] { build_shared(kind, entry, stop); });
  return entry;
}

std::unique_ptr<InjectedFault> FaultLaboratories::at_shared(Shared& source, const std::string& name,
                                                            const std::stop_token& stop) {
  auto site = site_of(*source.laboratory, name, stop);
  site.facts.insert(source.facts.begin(), source.facts.end());
  make_private_directory(site.directory, source.laboratory->account());
  return std::make_unique<InjectedFault>(std::move(site), nullptr);
}

std::unique_ptr<InjectedFault> FaultLaboratories::inject(const Fault& fault,
                                                         const std::string& name,
                                                         const std::stop_token& stop) {
  auto injected = needs_own_primary(fault) ? inject_in_clone(fault, name, stop)
                                           : inject_in_copy(fault, name, stop);
  try {
    record_recovery_facts(injected->site);
    inject_stage(fault, DamageStage::repository, injected->site);
    inject_stage(fault, DamageStage::drill, injected->site);
  } catch (const DoesNotApply& reason) {
    // All faults of the catalogue apply to a laboratory of pgBackRest.
    if (place_.tool != BackupTool::pgbackrest) throw;
    throw Error(ErrorKind::internal, reason.what());
  }
  finish(fault, *injected);
  return injected;
}

std::unique_ptr<InjectedFault> FaultLaboratories::control_of(const Fault& fault,
                                                             const std::string& name,
                                                             const std::stop_token& stop) {
  // Tools other than pgBackRest may write into a repository when baselines call them.
  auto injected = place_.tool == BackupTool::pgbackrest
                      ? at_shared(shared(fault.laboratory, stop), name, stop)
                      : inject_in_copy(fault, name, stop);
  finish(fault, *injected);
  return injected;
}

void FaultLaboratories::finish(const Fault& fault, InjectedFault& injected) {
  add_overrides_of(fault, injected.site);
  injected.scenario = scenario_of(injected.site);
}

std::unique_ptr<InjectedFault> FaultLaboratories::inject_in_clone(const Fault& fault,
                                                                  const std::string& name,
                                                                  const std::stop_token& stop) {
  auto laboratory = clone(name, fault.laboratory, stop);
  auto site = site_of(*laboratory, name, stop);
  site.directory = laboratory->paths().root;
  record_counts(site);
  inject_stage(fault, DamageStage::running, site);
  if (has_stage(fault, DamageStage::stopped)) {
    find_files(site);
    laboratory->stop(stop);
    inject_stage(fault, DamageStage::stopped, site);
    laboratory->start(stop);
  }
  write_counts(site);
  laboratory->back_up(BackupType::incremental, stop);
  inject_stage(fault, DamageStage::after_backup, site);
  work_after_backup(site, fault.laboratory == "timelines");
  inject_stage(fault, DamageStage::after_work, site);
  return std::make_unique<InjectedFault>(std::move(site), std::move(laboratory));
}

std::unique_ptr<InjectedFault> FaultLaboratories::inject_in_copy(const Fault& fault,
                                                                 const std::string& name,
                                                                 const std::stop_token& stop) {
  auto& source = shared(fault.laboratory, stop);
  auto injected = at_shared(source, name, stop);
  auto& site = injected->site;
  auto paths = source.laboratory->paths();
  site.repository = site.directory / "repository";
  site.configuration = site.directory / paths.configuration.filename();
  link_repository(paths.repository, site.repository, site);
  paths.repository = site.repository;
  const auto write = [&](const std::string& text) {
    write_file_of(site.account, site.configuration, text, 0600);
  };
  const auto& options = source.laboratory->options();
  if (place_.tool == BackupTool::pgbackrest) {
    write(laboratory_pgbackrest_conf(options, paths, false));
  } else if (place_.tool == BackupTool::barman) {
    paths.pgbackrest = site.directory / "own";
    for (const auto* part : {"", "lock", "log"}) {
      make_private_directory(paths.pgbackrest / part, site.account);
    }
    write(laboratory_barman_conf(options, paths));
  }
  return injected;
}

}  // namespace pgrehearse
