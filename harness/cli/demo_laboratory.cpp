#include "harness/cli/demo_laboratory.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <random>

#include "harness/common/text.hpp"
#include "harness/laboratory/scenario_text.hpp"
#include "harness/laboratory/shop.hpp"
#include "harness/sandbox/sandbox_files.hpp"
#include "scenarios/embedded.hpp"

extern char** environ;

namespace pgrehearse {

namespace {

// Reports each finished step and its duration.
class Steps {
 public:
  explicit Steps(const DemoLine& say) : say_(say) {}

  // `step` returns the text of the line.
  void run(const std::function<std::string()>& step) {
    const auto began = std::chrono::steady_clock::now();
    const auto words = step();
    const Seconds took = std::chrono::steady_clock::now() - began;
    say_(fmt::format("{:>6}  {}", to_text(took), words));
  }

 private:
  const DemoLine& say_;
};

std::string new_id() {
  std::random_device random;
  return fmt::format("demo-{:06x}", random() & 0xFFFFFFU);
}

std::string database_sizes(const Laboratory& laboratory, const std::stop_token& stop) {
  const auto rows = laboratory.connect("postgres", stop)
                        .query(
                            "select sum(pg_database_size(oid)) from pg_database "
                            "where datname in ('shop', 'crm')");
  return to_text(Bytes{std::stoull(rows.text(0, 0))});
}

std::string count_segments(const Laboratory& laboratory, const std::stop_token& stop) {
  return laboratory.connect("postgres", stop)
      .query("select archived_count from pg_stat_archiver")
      .text(0, 0);
}

void write_scenario(const Laboratory& laboratory) {
  write_file_of(laboratory.account(), demo_scenario_file(laboratory),
                laboratory.expand(embedded::demo_scenario_yaml, "demo"), 0600);
}

}  // namespace

std::filesystem::path demo_scenario_file(const Laboratory& laboratory) {
  return laboratory.paths().root / "demo.yaml";
}

std::unique_ptr<Laboratory> build_demo(const DemoSpec& spec, CommandRunner& runner,
                                       const DemoLine& say, const std::stop_token& stop) {
  const auto id = new_id();
  std::unique_ptr<Laboratory> laboratory;
  Steps steps(say);
  const auto& base = spec.directory.empty() ? spec.state : spec.directory;
  say(fmt::format("creating laboratory {}", (base / id).native()));
  steps.run([&] {
    laboratory = Laboratory::create({.id = id, .state = spec.state, .directory = spec.directory},
                                    runner, stop);
    laboratory->start(stop);
    laboratory->create_stanza(stop);
    return fmt::format("primary (PostgreSQL {}) and pgBackRest repository, stanza {}",
                       laboratory->options().postgres_major, laboratory->options().stanza);
  });
  steps.run([&] {
    load_shop(*laboratory, spec.size_factor, stop);
    return fmt::format("databases shop and crm, {}", database_sizes(*laboratory, stop));
  });
  steps.run([&] { return "full backup " + laboratory->back_up(BackupType::full, stop); });
  steps.run([&] {
    work_in_shop(*laboratory, spec.size_factor, 1, stop);
    return std::string("workload after the full backup");
  });
  steps.run(
      [&] { return "incremental backup " + laboratory->back_up(BackupType::incremental, stop); });
  steps.run([&] {
    const auto before = std::stoull(count_segments(*laboratory, stop));
    work_in_shop(*laboratory, spec.size_factor, 2, stop);
    laboratory->switch_wal_and_wait(stop);
    return fmt::format("workload after the incremental backup: {} WAL segments to replay",
                       std::stoull(count_segments(*laboratory, stop)) - before);
  });
  write_scenario(*laboratory);
  return laboratory;
}

std::string demo_scenario_outline() {
  return expand_scenario(embedded::demo_scenario_yaml, {{"name", "demo"},
                                                        {"stanza", "demo"},
                                                        {"configuration", "/pgbackrest.conf"},
                                                        {"dsn", "dbname=postgres"},
                                                        {"account", "postgres"}});
}

void unset_pgbackrest_variables(const DemoLine& say) {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable(*entry);
    if (variable.starts_with("PGBACKREST_")) names.emplace_back(split(variable, '=').front());
  }
  for (const auto& name : names) unsetenv(name.c_str());
  if (!names.empty()) say("ignoring environment variables " + join(names, ", "));
}

}  // namespace pgrehearse
