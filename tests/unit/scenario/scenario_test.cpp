// Valid scenarios: contents, overrides, environment, files.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "tests/unit/scenario/scenario_fixture.hpp"

namespace pgrehearse {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(Scenario, WithAllKeys) {
  const auto scenario = parse(R"(
name: weekly-orders
repository:
  type: pgbackrest
  stanza: orders
  config: /etc/pgbackrest/pgbackrest.conf
  binary: pgbunker
  repo: 2
  backup: 20261120-030000F_20261121-030000I
primary: { dsn: "host=db1 dbname=postgres user=pgrehearse" }
recover_to: { time: "2026-11-20 03:00:00+00", exclusive: true, timeline: 3 }
sandbox: { type: local, directory: /srv/drills, run_as: postgres, memory: 2GB, cpus: 2, superuser: admin,
           binaries: /usr/lib/postgresql/15/bin }
objectives: { rto: 30min, rpo: 10min }
checks:
  - page_checksums
  - amcheck: { heapallindexed: true, exclude: audit }
  - query: { name: orders are recent, sql: "select 1", expect: { at_least: 10 }, tolerance: 1%, with: { a: 1 } }
  - query: { name: other, sql: "select 2", expect: no rows }
  - identity
reports: { json: out.json, junit: out.xml, markdown: out.md }
timeout: 1h30min
)");
  EXPECT_EQ(scenario.name, "weekly-orders");
  EXPECT_EQ(scenario.file, "s.yaml");
  EXPECT_EQ(scenario.repository.stanza, "orders");
  EXPECT_EQ(scenario.repository.configuration, "/etc/pgbackrest/pgbackrest.conf");
  EXPECT_EQ(scenario.repository.binary, "pgbunker");
  EXPECT_EQ(scenario.repository.key, 2);
  EXPECT_EQ(scenario.repository.backup, "20261120-030000F_20261121-030000I");
  EXPECT_EQ(scenario.primary->dsn, "host=db1 dbname=postgres user=pgrehearse");
  EXPECT_EQ(scenario.target.type, TargetType::time);
  EXPECT_EQ(scenario.target.time, parse_instant("2026-11-20 03:00:00+00"));
  EXPECT_TRUE(scenario.target.exclusive);
  EXPECT_EQ(scenario.target.timeline, "3");
  EXPECT_EQ(scenario.sandbox.type, "local");
  EXPECT_EQ(scenario.sandbox.scenario, "weekly-orders");
  EXPECT_EQ(scenario.sandbox.directory, "/srv/drills");
  EXPECT_EQ(scenario.sandbox.account, "postgres");
  EXPECT_EQ(scenario.sandbox.memory, Bytes{std::uint64_t{2} << 30});
  EXPECT_EQ(scenario.sandbox.cpus, 2);
  EXPECT_EQ(scenario.sandbox.superuser, "admin");
  EXPECT_EQ(scenario.sandbox.binaries, "/usr/lib/postgresql/15/bin");
  EXPECT_EQ(scenario.objectives.rto, 30min);
  EXPECT_EQ(scenario.objectives.rpo, 10min);
  EXPECT_EQ(scenario.timeout, 90min);
  EXPECT_EQ(scenario.reports.at("junit"), "out.xml");
  ASSERT_EQ(scenario.checks.size(), 5U);
  EXPECT_EQ(scenario.checks[1].check, "amcheck");
  EXPECT_EQ(scenario.checks[1].settings.get<bool>("heapallindexed"), true);
  EXPECT_EQ(scenario.checks[1].settings.get<std::vector<std::string>>("exclude"),
            std::vector<std::string>{"audit"});
  EXPECT_EQ(to_text(scenario.checks[1].settings.position()), "s.yaml:17:5");
  const auto& query = scenario.checks[2];
  using Texts = std::map<std::string, std::string>;
  EXPECT_EQ(query.name, "orders are recent");
  EXPECT_EQ(query.settings.get<Texts>("expect"), (Texts{{"at_least", "10"}}));
  EXPECT_EQ(query.settings.get<double>("tolerance"), 0.01);
  EXPECT_EQ(query.settings.get<Texts>("with"), (Texts{{"a", "1"}}));
  EXPECT_EQ(scenario.checks[3].settings.get<Texts>("expect"), (Texts{{"", "no rows"}}));
}

TEST(Scenario, MinimalScenarioHasDefaults) {
  const auto scenario = parse(scenario_head);
  EXPECT_EQ(scenario.target.type, TargetType::latest);
  EXPECT_EQ(scenario.target.timeline, "latest");
  EXPECT_EQ(scenario.repository.backup, "latest");
  EXPECT_EQ(scenario.repository.binary, "pgbackrest");
  EXPECT_EQ(scenario.sandbox.type, "local");
  EXPECT_EQ(scenario.sandbox.memory, std::nullopt);
  EXPECT_TRUE(scenario.checks.empty());
  EXPECT_FALSE(scenario.timeout);
}

TEST(Scenario, NumbersAreKeptAsWrittenForStringKeys) {
  const auto scenario =
      parse("name: 007\nrepository: { stanza: 0123 }\nrecover_to: { xid: 743 }\n");
  EXPECT_EQ(scenario.name, "007");
  EXPECT_EQ(scenario.repository.stanza, "0123");
  EXPECT_EQ(scenario.target.xid, 743U);
}

TEST(Scenario, EveryTarget) {
  const auto target = [](const std::string& text) {
    return parse(scenario_head + "recover_to: " + text + "\n").target;
  };
  EXPECT_EQ(target("latest").type, TargetType::latest);
  EXPECT_EQ(target("immediate").type, TargetType::immediate);
  EXPECT_EQ(target("{ immediate: true }").type, TargetType::immediate);
  EXPECT_EQ(target("{ timeline: 3 }").timeline, "3");
  EXPECT_EQ(target("{ lsn: 0/5000028 }").lsn, Lsn{0x5000028});
  EXPECT_EQ(target("{ name: before_release }").name, "before_release");
  EXPECT_EQ(target("{ time: 2026-11-20T03:00:00Z }").time, parse_instant("2026-11-20T03:00:00Z"));
  EXPECT_EQ(target("{ xid: 743, exclusive: true, timeline: current }").timeline, "current");
}

TEST(Scenario, HashDistinguishesTextAndOverrides) {
  const auto hash = [](const std::string& text, const std::vector<std::string>& overrides) {
    return parse(text, overrides).hash;
  };
  // sha256sum of the text alone.
  EXPECT_EQ(hash(scenario_head, {}),
            "2207226e7eb5c588ff6bd34eab95b8991815bb984e897d704e4c8afa4c1acc6d");
  EXPECT_NE(hash(scenario_head, {}), hash(scenario_head + "\n", {}));
  EXPECT_NE(hash(scenario_head, {}), hash(scenario_head, {"timeout=1h"}));
  EXPECT_EQ(hash(scenario_head, {"timeout=1h"}), hash(scenario_head, {"timeout=1h"}));
}

TEST(ScenarioOverrides, ChangeAddAndReplace) {
  const std::string text =
      scenario_head + "recover_to: { time: \"2026-11-20 03:00:00+00\", exclusive: true }\n";
  EXPECT_EQ(parse(text, {"repository.backup=oldest"}).repository.backup, "oldest");
  EXPECT_EQ(parse(text, {"sandbox.cpus=3", "sandbox.memory=1GB"}).sandbox.cpus, 3);
  const auto docker = parse(text, {"sandbox.type=docker", "sandbox.io_bandwidth=1MB"}).sandbox;
  EXPECT_EQ(options_of<ContainerOptions>(docker).io_bandwidth, Bytes{std::uint64_t{1} << 20});
  EXPECT_EQ(parse(text, {"recover_to=immediate"}).target.type, TargetType::immediate);
  const auto lsn = parse(text, {"recover_to.lsn=0/5000028"}).target;
  EXPECT_EQ(lsn.type, TargetType::lsn);
  EXPECT_FALSE(lsn.exclusive);
  for (const auto& overrides :
       {std::vector<std::string>{"recover_to.exclusive=true", "recover_to.xid=743"},
        std::vector<std::string>{"recover_to.xid=743", "recover_to.exclusive=true"}}) {
    const auto target = parse(scenario_head, overrides).target;
    EXPECT_EQ(target.xid, 743U);
    EXPECT_TRUE(target.exclusive);
  }
  EXPECT_FALSE(parse(text, {"recover_to.exclusive=false"}).target.exclusive);
  const auto timeline =
      parse(scenario_head + "recover_to: latest\n", {"recover_to.timeline=4"}).target;
  EXPECT_EQ(timeline.type, TargetType::latest);
  EXPECT_EQ(timeline.timeline, "4");
  EXPECT_EQ(parse(text, {"checks=[amcheck: {parallel: 2}]"})
                .checks.at(0)
                .settings.get<std::int64_t>("parallel"),
            2);
  EXPECT_EQ(parse(text, {"primary.dsn=host=db1 port=6000"}).primary->dsn, "host=db1 port=6000");
  EXPECT_EQ(parse("repository: { stanza: orders }", {"name=weekly"}).name, "weekly");
}

TEST(ScenarioOverrides, ErrorsShowTheOverrideAsGiven) {
  const auto errors = [](const std::string& text) {
    return errors_of(scenario_head + "checks: [amcheck]\n", {text});
  };
  EXPECT_EQ(errors("sandbox.typo=1"),
            "--set sandbox.typo=1: unknown key 'typo' in sandbox | did you mean 'type'?\n");
  EXPECT_EQ(
      errors("sandbx.type=local"),
      "--set sandbx.type=local: unknown key 'sandbx' in the scenario | did you mean 'sandbox'?\n");
  EXPECT_EQ(
      errors("sandbox.cpus=many"),
      "--set sandbox.cpus=many: 'cpus': 'many' is not a whole number | for example cpus: 4\n");
  EXPECT_EQ(errors("sandbox.cpus="),
            "--set sandbox.cpus=: 'cpus' has no value | for example cpus: 4\n");
  EXPECT_EQ(errors("timeout"),
            "--set timeout: an override needs a key and a value | for example --set "
            "recover_to=immediate\n");
  EXPECT_EQ(errors("checks.amcheck.parallel=2"),
            "--set checks.amcheck.parallel=2: a list can only be replaced as a whole | write --set "
            "checks=[...]\n");
  EXPECT_THAT(errors("reports={json: a"), HasSubstr("--set reports={json: a: not valid YAML: "));
  EXPECT_EQ(
      errors_of(scenario_head, {"recover_to.xid=743", "recover_to.lsn=0/5"}),
      "--set recover_to.lsn=0/5: more than one target: 'xid' and 'lsn' | remove one of them\n");
}

TEST(ScenarioOverrides, PasswordIsNotShown) {
  EXPECT_THAT(errors_of(scenario_head, {"primary.dns=password=hunter2"}),
              testing::StartsWith("--set primary.dns=***: unknown key 'dns'"));
  EXPECT_THAT(errors_of(scenario_head, {"primary.dns=password=hunter2"}),
              testing::Not(HasSubstr("hunter2")));
}

TEST(ScenarioEnvironment, VariablesAreReplacedInValues) {
  setenv("PGREHEARSE_TEST_SECRET", "s3cr3t: {x}", 1);
  const auto dsn = [](const std::string& text) {
    return parse(scenario_head + "primary: { dsn: \"" + text + "\" }\n").primary->dsn;
  };
  setenv("PGREHEARSE_TEST_HOST", "db1", 1);
  EXPECT_EQ(dsn("host=${PGREHEARSE_TEST_HOST} user=${PGREHEARSE_TEST_HOST}"), "host=db1 user=db1");
  EXPECT_EQ(dsn("host=db1 password=$${PGREHEARSE_TEST_HOST}"),
            "host=db1 password=${PGREHEARSE_TEST_HOST}");
  EXPECT_EQ(dsn("host=db1 password=a$b$"), "host=db1 password=a$b$");
  // The content of a variable is never parsed as YAML.
  EXPECT_EQ(parse("name: weekly\nrepository: { stanza: '${PGREHEARSE_TEST_SECRET}' }\n")
                .repository.stanza,
            "s3cr3t: {x}");
  setenv("PGREHEARSE_TEST_CPUS", "3", 1);
  EXPECT_EQ(parse(scenario_head + "sandbox: { cpus: \"${PGREHEARSE_TEST_CPUS}\" }\n").sandbox.cpus,
            3);
  EXPECT_EQ(parse(scenario_head, {"sandbox.cpus=${PGREHEARSE_TEST_CPUS}"}).sandbox.cpus, 3);
}

TEST(ScenarioEnvironment, UnsetOrMalformedVariableIsAnErrorWithPosition) {
  unsetenv("PGREHEARSE_TEST_UNSET");
  EXPECT_EQ(errors_of("name: weekly\nrepository:\n  stanza: ${PGREHEARSE_TEST_UNSET}\n"),
            "s.yaml:3:11: environment variable 'PGREHEARSE_TEST_UNSET' is not set | export "
            "PGREHEARSE_TEST_UNSET before starting pgrehearse, or write $${ for a literal ${\n");
  EXPECT_THAT(errors_of("name: weekly\nrepository:\n  stanza: ${not a name}\n"),
              HasSubstr("s.yaml:3:11: '${' is not followed by the name"));
}

TEST(ScenarioEnvironment, InvalidValueShowsTheVariableAndNotItsContent) {
  setenv("PGREHEARSE_TEST_SECRET", "hunter2", 1);
  EXPECT_EQ(errors_of(scenario_head + "timeout: ${PGREHEARSE_TEST_SECRET}\n"),
            "s.yaml:3:10: 'timeout': '${PGREHEARSE_TEST_SECRET}' is not a duration | units are ms, "
            "s, min, h "
            "and d, for example 1h30min\n");
  const auto all = errors_of(
      "name: ${PGREHEARSE_TEST_SECRET}!\nrepository: { stanza: a, backup: "
      "'${PGREHEARSE_TEST_SECRET}' }\nprimary: { dsn: '${PGREHEARSE_TEST_SECRET} x' }\n"
      "recover_to: { time: '${PGREHEARSE_TEST_SECRET}' }\n");
  EXPECT_THAT(all, HasSubstr("s.yaml:4:21"));
  EXPECT_THAT(all, testing::Not(HasSubstr("hunter2")));
}

class ScenarioFile : public testing::Test {
 protected:
  ScenarioFile() { std::filesystem::create_directories(directory_); }
  ~ScenarioFile() override { std::filesystem::remove_all(directory_); }

  std::string error_of(const std::filesystem::path& file) {
    try {
      load_scenario(file, {}, fixture_checks());
    } catch (const ScenarioErrors& errors) {
      return fmt::format("{} | {}", errors.what(), errors.entries().front().hint);
    }
    return {};
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(directory_ / name) << text;
  }

  std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / fmt::format("pgrehearse-scenario-{}", getpid());
};

TEST_F(ScenarioFile, IsReadAndNamed) {
  write("weekly.yaml", scenario_head);
  const auto scenario = load_scenario(directory_ / "weekly.yaml", {}, fixture_checks());
  EXPECT_EQ(scenario.file, directory_ / "weekly.yaml");
}

TEST_F(ScenarioFile, InvalidFileIsNamed) {
  write("weekly.yaml", scenario_head);
  write("big.yaml", std::string((1U << 20) + 1, '#'));
  write("binary.yaml", std::string("a\0b", 3));
  const auto path = [&](const std::string& name) { return (directory_ / name).string(); };
  EXPECT_EQ(error_of(path("weekly.yml")),
            path("weekly.yml") + ": cannot be read: No such file or directory | did you mean '" +
                path("weekly.yaml") + "'?");
  EXPECT_EQ(error_of(directory_),
            directory_.string() + ": is a directory, not a scenario | give the YAML files in it");
  EXPECT_THAT(error_of(path("big.yaml")), HasSubstr("big.yaml: is larger than 1 MB"));
  EXPECT_THAT(error_of(path("binary.yaml")), HasSubstr("binary.yaml: is not a text file"));
  EXPECT_THAT(error_of("/nonexistent/deep/weekly.yaml"), HasSubstr("the working directory is"));
}

}  // namespace
}  // namespace pgrehearse
