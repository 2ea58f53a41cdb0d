// Invalid scenarios and their error messages.
#include <gmock/gmock.h>

#include "tests/unit/scenario/scenario_fixture.hpp"

namespace pgrehearse {
namespace {

struct Wrong {
  std::string text;
  std::string expected;  // all of it
};

const std::string head = scenario_head;

void expect_each(const std::vector<Wrong>& cases) {
  for (const auto& wrong : cases) EXPECT_EQ(errors_of(wrong.text), wrong.expected) << wrong.text;
}

TEST(InvalidScenarios, Yaml) {
  expect_each({
      {"",
       "s.yaml:1:1: the scenario is empty | start with a name, for example name: weekly-orders\n"},
      {"# nothing\n\n",
       "s.yaml:1:1: the scenario is empty | start with a name, for example name: weekly-orders\n"},
      {"- name: weekly\n",
       "s.yaml:1:1: the scenario must be a map, not a list | for example name: weekly-orders\n"},
      {"weekly\n",
       "s.yaml:1:1: the scenario must be a map, not a single value | for example name: "
       "weekly-orders\n"},
      {"name: weekly\nrepository: { stanza: orders\nchecks: []\n",
       "s.yaml:3:7: not valid YAML: end of map flow not found | check quotes and indentation; tabs "
       "are not allowed\n"},
      {"name: weekly\nrepository:\n\tstanza: orders\n",
       "s.yaml:3:8: not valid YAML: illegal map value | check quotes and indentation; tabs are not "
       "allowed\n"},
      {head + "recover_to: \"latest\n", "s.yaml:3:13: unterminated quote\n"},
      {head + "---\nname: second\n",
       "s.yaml:3:1: a second document starts here | put each scenario into its own file\n"},
      // yaml-cpp would report documents endlessly here.
      {"{ name: weekly, repository: { stanza: orders } }, x\n",
       "s.yaml:1:49: not valid YAML: unexpected content after the document | check quotes and "
       "indentation; tabs are not allowed\n"},
      {"name: &n weekly\nrepository: { stanza: *n }\n",
       "s.yaml:1:7: anchor '&n' is not allowed in a scenario | repeat the value where it is "
       "needed\n"
       "s.yaml:2:23: an alias is not allowed in a scenario | repeat the value\n"},
      {head + "sandbox: { memory: !!str 2GB }\n",
       "s.yaml:3:20: tag 'tag:yaml.org,2002:str' is not allowed in a scenario | remove the tag\n"},
      {"? [name]\n: weekly\nrepository: { stanza: orders }\n",
       "s.yaml:1:1: missing key 'name' in the scenario | for example name: weekly-orders\n"
       "s.yaml:1:3: a key must be a single word\n"},
  });
}

TEST(InvalidScenarios, DeepNestingIsRejectedWithoutOverflow) {
  const std::string expected =
      "s.yaml:1:17: nested too deeply | scenarios have at most five levels\n";
  EXPECT_EQ(errors_of(std::string(100'000, '[')), expected);
  EXPECT_THAT(errors_of(head + "checks: " + std::string(100'000, '{')),
              testing::HasSubstr("nested too deeply"));
}

TEST(InvalidScenarios, Keys) {
  expect_each({
      {head + "chekcs: [amcheck]\n",
       "s.yaml:3:1: unknown key 'chekcs' in the scenario | did you mean 'checks'?\n"},
      {"name: weekly\nrepository:\n  stnza: orders\n",
       "s.yaml:3:3: unknown key 'stnza' in repository | did you mean 'stanza'?\n"
       "s.yaml:3:3: missing key 'stanza' in repository | for example stanza: orders\n"},
      {head + "reports: { pdf: a.pdf }\n",
       "s.yaml:3:12: unknown key 'pdf' in reports | known: json, junit, markdown, html\n"},
      {head + "name: again\n",
       "s.yaml:3:1: duplicate key 'name' in the scenario | already set on line 1\n"},
      {head + "objectives:\n  rto: 1h\n  rpo: 1h\n  rto: 2h\n",
       "s.yaml:6:3: duplicate key 'rto' in objectives | already set on line 4\n"},
      {"repository: { stanza: orders }\n",
       "s.yaml:1:1: missing key 'name' in the scenario | for example name: weekly-orders\n"},
      {"name: weekly\n",
       "s.yaml:1:1: missing key 'repository' in the scenario | repository: the repository with "
       "backups and WAL archive\n"},
      {"name: weekly\nrepository:\n",
       "s.yaml:2:1: missing key 'stanza' in repository | for example stanza: orders\n"},
      {head + "primary: {}\n",
       "s.yaml:3:10: missing key 'dsn' in primary | for example dsn: \"host=db1 dbname=postgres "
       "user=pgrehearse\", or patroni: { urls: [https://db1:8008] }\n"},
  });
}

TEST(InvalidScenarios, TypesAndValues) {
  expect_each({
      {head + "sandbox: local\n",
       "s.yaml:3:10: sandbox must be a map, not a single value | for example type: docker\n"},
      {"name: [weekly]\nrepository: { stanza: orders }\n",
       "s.yaml:1:7: 'name' must be a string, not a list | for example name: weekly-orders\n"},
      {"name: weekly\nrepository:\n  stanza:\n",
       "s.yaml:3:3: 'stanza' has no value | for example stanza: orders\n"},
      {"name: weekly\nrepository: { stanza: '' }\n",
       "s.yaml:2:23: 'stanza' is empty | for example stanza: orders\n"},
      {"name: weekly orders\nrepository: { stanza: orders }\n",
       "s.yaml:1:7: name 'weekly orders' may contain only letters, digits, '-', '_' and '.' | try "
       "name: weekly-orders\n"},
      {"name: ../../etc\nrepository: { stanza: orders }\n",
       "s.yaml:1:7: name '../../etc' may contain only letters, digits, '-', '_' and '.' | try "
       "name: etc\n"},
      {"name: weekly\nrepository: { stanza: orders, type: wal-g }\n",
       "s.yaml:2:37: 'type': 'wal-g' is not one of pgbackrest, basebackup, barman\n"},
      {"name: weekly\nrepository: { stanza: orders, backup: lastest }\n",
       "s.yaml:2:39: 'lastest' is not latest, oldest, random, unproved or the label of a backup | "
       "did you mean "
       "'latest'?\n"},
      {"name: weekly\nrepository: { stanza: orders, config: pgbackrest.conf }\n",
       "s.yaml:2:39: 'config': 'pgbackrest.conf' is not an absolute path | the path must start "
       "with /\n"},
      {"name: weekly\nrepository: { stanza: orders, repo: one }\n",
       "s.yaml:2:37: 'repo': 'one' is not a whole number | for example repo: 2\n"},
      {"name: weekly\nrepository: { stanza: orders, repo: 0 }\n",
       "s.yaml:2:37: repository 0 does not exist | pgBackRest repositories are numbered 1 to "
       "256\n"},
      {head + "sandbox: { cpus: -1 }\n",
       "s.yaml:3:18: 'cpus': '-1' is not a whole number | for example cpus: 4\n"},
      {head + "sandbox: { cpus: \"4\" }\n",
       "s.yaml:3:18: 'cpus' must be a whole number, not a quoted string | for example cpus: 4\n"},
      {head + "sandbox: { memory: 2G }\n",
       "s.yaml:3:20: 'memory': '2G' is not a size | write 2GB: units are B, kB, MB, GB and TB\n"},
      {head + "sandbox: { memory: 2 }\n",
       "s.yaml:3:20: memory '2' is less than 32MB | a number without a unit means bytes; write "
       "2GB\n"},
      {head + "sandbox: { io_bandwidth: 50MB }\n",
       "s.yaml:3:12: 'io_bandwidth' cannot be used with sandbox.type: local | remove it, or set "
       "type to docker or podman or vm\n"},
      {head + "sandbox: { type: vm, io_bandwidth: 50 }\n",
       "s.yaml:3:36: io_bandwidth '50' is less than 1MB per second | for example io_bandwidth: "
       "200MB\n"},
      {head + "sandbox: { run_as: root }\n",
       "s.yaml:3:20: PostgreSQL refuses to run as root | use another account, for example run_as: "
       "postgres\n"},
      {head + "objectives: { rto: 30 }\n",
       "s.yaml:3:20: 'rto': '30' is not a duration | add a unit: 30min, 30s or 30h\n"},
      {head + "objectives: { rpo: ten minutes }\n",
       "s.yaml:3:20: 'rpo': 'ten minutes' is not a duration | units are ms, s, min, h and d, for "
       "example "
       "1h30min\n"},
      {head + "timeout: 0s\n",
       "s.yaml:3:10: '0s' must be greater than zero | remove the key for no limit\n"},
      {head + "reports: { json: out, junit: out }\n",
       "s.yaml:3:30: 'json' and 'junit' are written to the same file | use a different file for "
       "each format\n"},
  });
}

TEST(InvalidScenarios, Dsn) {
  EXPECT_THAT(errors_of(head + "primary: { dsn: \"hots=db1\" }\n"),
              testing::StartsWith("s.yaml:3:17: the dsn is not a libpq connection string | "));
}

TEST(InvalidScenarios, RecoveryTargets) {
  expect_each({
      {head + "recover_to: lates\n",
       "s.yaml:3:13: unknown recovery target 'lates' | did you mean 'latest'?; or a map, for "
       "example { "
       "time: "
       "\"2026-11-20 03:00:00+00\" }\n"},
      {head + "recover_to: 0/5000028\n",
       "s.yaml:3:13: unknown recovery target '0/5000028' | write recover_to: { lsn: 0/5000028 }\n"},
      {head + "recover_to:\n",
       "s.yaml:3:1: 'recover_to' has no value | for example recover_to: latest\n"},
      {head + "recover_to: { time: 2026-11-20 03:00:00 }\n",
       "s.yaml:3:21: time '2026-11-20 03:00:00' has no time zone | for UTC write \"2026-11-20 "
       "03:00:00+00\"\n"},
      {head + "recover_to: { time: yesterday }\n",
       "s.yaml:3:21: 'yesterday' is not a time | for example time: \"2026-11-20 03:00:00+00\"\n"},
      {head + "recover_to: { lsn: 5000028 }\n",
       "s.yaml:3:20: '5000028' is not an LSN | two hexadecimal numbers separated by a slash, for "
       "example lsn: 0/5000028\n"},
      {head + "recover_to: { xid: 2 }\n",
       "s.yaml:3:20: '2' is not a transaction id | a number from 3 to 4294967295, for example xid: "
       "743\n"},
      {head + "recover_to: { xid: 4294968039 }\n",
       "s.yaml:3:20: '4294968039' is not a transaction id | without the epoch: 743\n"},
      {head + "recover_to: { lsn: 0/5, xid: 743 }\n",
       "s.yaml:3:25: more than one target: 'lsn' and 'xid' | remove one of them\n"},
      {head + "recover_to: { name: a, exclusive: true }\n",
       "s.yaml:3:24: 'exclusive' cannot be combined with 'name' | `exclusive` can only be used "
       "with time, lsn or xid\n"},
      {head + "recover_to: { exclusive: true }\n",
       "s.yaml:3:15: 'exclusive' cannot be combined with 'latest' | `exclusive` can only be used "
       "with time, lsn or xid\n"},
      {head + "recover_to: { immediate: true, exclusive: true }\n",
       "s.yaml:3:32: 'exclusive' cannot be combined with 'immediate' | `exclusive` can only be "
       "used with time, lsn or xid\n"},
      {head + "recover_to: { immediate: true, timeline: 2 }\n",
       "s.yaml:3:32: 'timeline' cannot be combined with 'immediate' | recovery to the end of the "
       "backup stays on the backup's timeline\n"},
      {head + "recover_to: { immediate: false }\n",
       "s.yaml:3:26: 'latest' and 'immediate' can only be true | remove it, or use another "
       "target\n"},
      {head + "recover_to: { latest: true, timeline: newest }\n",
       "s.yaml:3:39: 'newest' is not a timeline | latest, current, or a decimal number, for "
       "example "
       "timeline: 3\n"},
      {head + "recover_to: { tiem: \"2026-11-20 03:00:00+00\" }\n",
       "s.yaml:3:15: unknown key 'tiem' in recover_to | did you mean 'time'?\n"},
      {head + "recover_to: [latest]\n",
       "s.yaml:3:13: recover_to must be a map, not a list | for example latest: true\n"},
  });
}

TEST(InvalidScenarios, Checks) {
  expect_each({
      {head + "checks:\n  - page_checksums\n  - amchek\n",
       "s.yaml:5:5: unknown check 'amchek' | did you mean 'amcheck'?\n"},
      {head + "checks: amcheck\n",
       "s.yaml:3:9: 'checks' must be a list of checks, not a single value | for example checks: "
       "[amcheck, "
       "page_checksums]\n"},
      {head + "checks:\n  - amcheck:\n    heapallindexed: true\n",
       "s.yaml:5:5: 'heapallindexed' is on the same level as the check 'amcheck' | indent the "
       "settings of 'amcheck' more than its name\n"},
      {head + "checks: [{amcheck: {heapalindexed: true}}]\n",
       "s.yaml:3:21: unknown key 'heapalindexed' in check 'amcheck' | did you mean "
       "'heapallindexed'?\n"},
      {head + "checks: [{amcheck: {heapallindexed: yes}}]\n",
       "s.yaml:3:37: 'heapallindexed': 'yes' is not true or false | write true or false, without "
       "quotes\n"},
      {head + "checks: [{amcheck: {exclude: [a, [b]]}}]\n",
       "s.yaml:3:34: 'exclude' must be a string or a list of strings, not a list | for example "
       "exclude: [a]\n"},
      {head + "checks: [amcheck, amcheck]\n",
       "s.yaml:3:19: two checks are named 'amcheck' | rename one of them, for example amcheck: { "
       "name: second amcheck }\n"},
      {head + "checks: [identity]\n",
       "s.yaml:3:10: check 'identity' needs a primary, but the scenario has none | add primary: { "
       "dsn: \"host=db1 dbname=postgres user=pgrehearse\" }\n"},
      {head + "sandbox: {type: docker}\nchecks: [patroni_bootstrap]\n",
       "s.yaml:4:10: check 'patroni_bootstrap' cannot run with sandbox.type: docker | set "
       "sandbox.type to local, or remove the check\n"},
      {head + "checks: [query]\n",
       "s.yaml:3:10: missing key 'sql' in check 'query' | for example sql: select 1\n"
       "s.yaml:3:10: missing key 'expect' in check 'query' | for example expect: true\n"},
      {head + "checks: [{query: {sql: a, expect: {at_leest: 1}}}]\n",
       "s.yaml:3:36: unknown key 'at_leest' in 'expect' | did you mean 'at_least'?\n"},
      {head + "checks: [{query: {sql: a, expect: {at_least: many}}}]\n",
       "s.yaml:3:46: 'at_least': 'many' is not a number | for example at_least: 1\n"},
      {head + "checks: [{query: {sql: a, expect: 1, tolerance: 1}}]\n",
       "s.yaml:3:49: 'tolerance': '1' is not a percentage | add the percent sign: 1%\n"},
      {head + "checks: [{query: {sql: a, expect: 1, with: {a: 1, a: 2}}}]\n",
       "s.yaml:3:51: duplicate key 'a' in 'with' | remove one of them\n"},
      {head + "checks: [{query: {sql: drop, expect: 1}}]\n",
       "s.yaml:3:11: the query writes | use select\n"},
      {head + "checks: [[amcheck]]\n",
       "s.yaml:3:10: a check must be a name, or a name with settings, not a list | for example "
       "checks: [amcheck, page_checksums]\n"},
  });
}

TEST(InvalidScenarios, Schedule) {
  expect_each({
      {head + "schedule: \"0 3 * * 6\"\n",
       "s.yaml:3:11: schedule must be a map, not a single value | for example cron: \"0 3 * * "
       "6\"\n"},
      {head + "schedule: { zone: UTC }\n",
       "s.yaml:3:11: missing key 'cron' in schedule | for example cron: \"0 3 * * 6\"\n"},
      // The column is that of the wrong part.
      {head + "schedule: { cron: \"0 24 * * 6\", zone: Europe/Berlyn }\n",
       "s.yaml:3:22: 'cron': hour 24 is out of range | allowed: 0-23\n"
       "s.yaml:3:39: 'zone': unknown time zone 'Europe/Berlyn' | did you mean 'Europe/Berlin'?\n"},
      {head + "schedule:\n  cron: 0 3 * * 1-8\n",
       "s.yaml:4:19: 'cron': day of week 8 is out of range | allowed: 0-7 or sun-sat\n"},
      {head + "schedule: { cron: \"@daily\", jitter: 25h }\n",
       "s.yaml:3:37: 'jitter' is longer than a day | for example jitter: 10min\n"},
      {head + "schedule: { cron: \"@daily\", zone: Mars }\n",
       "s.yaml:3:35: 'zone': unknown time zone 'Mars' | for example Europe/Berlin or UTC; "
       "`timedatectl list-timezones` lists them all\n"},
  });
}

TEST(InvalidScenarios, AllErrorsOfAFileAreReportedInOrder) {
  EXPECT_EQ(errors_of("name: weekly\n"
                      "repository: { stanza: orders, bakup: latest }\n"
                      "recover_to: { time: 2026-11-20 03:00:00 }\n"
                      "checks: [amchek]\n"
                      "objectives: { rto: 30 }\n"),
            "s.yaml:2:31: unknown key 'bakup' in repository | did you mean 'backup'?\n"
            "s.yaml:3:21: time '2026-11-20 03:00:00' has no time zone | for UTC write \"2026-11-20 "
            "03:00:00+00\"\n"
            "s.yaml:4:10: unknown check 'amchek' | did you mean 'amcheck'?\n"
            "s.yaml:5:20: 'rto': '30' is not a duration | add a unit: 30min, 30s or 30h\n");
}

}  // namespace
}  // namespace pgrehearse
