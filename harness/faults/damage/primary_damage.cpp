// Damage to a running primary, through SQL and settings.
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
  if (then == "reload") {
    auto connection = primary_of(site).connect("postgres", site.stop);
    connection.query("select pg_reload_conf()");
    // The archiver rereads it when it wakes up.
    connection.query("select pg_sleep(0.3)");
  }
  if (then == "restart") {
    primary_of(site).stop(site.stop);
    primary_of(site).start(site.stop);
  }
}

// Like a host that keeps its configuration outside the data directory.
void remove_configuration(InjectionSite& site, const Settings& /*settings*/) {
  std::filesystem::remove(primary_of(site).paths().data / "postgresql.conf");
}

}  // namespace pgrehearse
