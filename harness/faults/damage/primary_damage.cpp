// Damage to a running primary, through SQL and settings.
#include <array>
#include <fstream>

#include "harness/common/error.hpp"
#include "harness/faults/damage/actions.hpp"
#include "harness/laboratory/scenario_text.hpp"
#include "harness/sandbox/directories.hpp"

namespace pgrehearse {

void run_sql(InjectionSite& site, const Settings& settings) {
  const auto fact = settings.get_or<std::string>("fact", "");
  auto connection =
      primary_of(site).connect(settings.get_or<std::string>("database", "shop"), site.stop);
  const auto statements = settings.get<std::vector<std::string>>("run").value();
  for (const auto& statement : statements) {
    try {
      const auto rows = connection.query(expand_scenario(statement, site.facts));
      if (!fact.empty() && !rows.rows.empty()) site.facts[fact] = rows.text(0, 0);
    } catch (const SqlError&) {
      if (!settings.get_or("may_fail", false)) throw;
    }
  }
  if (const auto hits = settings.get<std::string>("hits")) site.facts["relation"] = *hits;
}

// Rows added before the damage must be in the copy as well.
void expect_rows(InjectionSite& site, const Settings& settings) {
  auto& rows = site.rows.at(settings.get_or<std::string>("database", "shop"));
  rows.at(settings.get<std::string>("relation").value()) +=
      settings.get<std::int64_t>("plus").value();
}

// Directory for a tablespace, outside the data directory.
void make_directory(InjectionSite& site, const Settings& settings) {
  // A sandbox may write below /dev/shm, where the laboratory may be.
  const auto directory =
      std::filesystem::temp_directory_path() /
      (primary_of(site).options().id + "-" + settings.get<std::string>("name").value());
  make_private_directory(directory, site.account);
  site.facts["directory"] = directory.native();
  site.directories.push_back(directory);
}

void change_configuration(InjectionSite& site, const Settings& settings) {
  const auto line = expand_scenario(settings.get<std::string>("line").value(), site.facts);
  site.facts["setting"] = line.substr(0, line.find_first_of(" ="));
  std::ofstream file(primary_of(site).paths().data / "postgresql.conf", std::ios::app);
  file << line << '\n';
  file.close();
  const auto then = settings.get_or<std::string>("then", "nothing");
  if (then == "reload") primary_of(site).reload(site.stop);
  if (then == "restart") {
    primary_of(site).stop(site.stop);
    primary_of(site).start(site.stop);
  }
}

// Like a host that keeps its configuration outside the data directory.
void remove_configuration(InjectionSite& site, const Settings& /*settings*/) {
  std::filesystem::remove(primary_of(site).paths().data / "postgresql.conf");
}

void configure_pgbackrest(InjectionSite& site, const Settings& settings) {
  std::ofstream file(site.configuration, std::ios::app);
  file << settings.get<std::string>("line").value() << '\n';
}

void back_up_offline(InjectionSite& site, const Settings& /*settings*/) {
  auto& laboratory = primary_of(site);
  laboratory.stop(site.stop);
  laboratory.run_pgbackrest({"--no-online", "--type=full", "backup"}, site.stop);
  laboratory.start(site.stop);
}

void archive_wal(InjectionSite& site, const Settings& /*settings*/) {
  primary_of(site).switch_wal_and_wait(site.stop);
}

// Like a disk that loses a write before the segment is archived: the checksums of the backup tool
// are those of the damaged segment.
void damage_wal(InjectionSite& site, const Settings& settings) {
  auto& laboratory = primary_of(site);
  laboratory.switch_wal_and_wait(site.stop);
  auto connection = laboratory.connect("shop", site.stop);
  const auto statements = settings.get<std::vector<std::string>>("run").value();
  connection.query(statements.front());
  const auto position = connection.query(
      "select file_name, file_offset from pg_walfile_name_offset(pg_current_wal_insert_lsn())");
  for (auto next = statements.begin() + 1; next != statements.end(); ++next) {
    connection.query(*next);
  }
  // PostgreSQL writes whole pages, the last one again and again: fill some more.
  connection.query("select pg_logical_emit_message(true, 'filler', repeat('x', 50000))");
  site.facts["segment"] = position.text(0, 0);
  const auto file = laboratory.paths().data / "pg_wal" / position.text(0, 0);
  std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
  out.seekp(std::stol(position.text(0, 1)));
  constexpr std::array<char, 24> zeros{};  // the header of a record
  out.write(zeros.data(), zeros.size());
  out.close();
  if (!out) throw Error(ErrorKind::internal, "cannot damage " + file.native());
  laboratory.switch_wal_and_wait(site.stop);
}

}  // namespace pgrehearse
