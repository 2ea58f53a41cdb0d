// The fixture of tests that compare a database with its fingerprint. A copy is made with CREATE
// DATABASE ... TEMPLATE, which keeps what a restore keeps: object ids, files and transaction ids.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <sstream>

#include "checks/comparison/database_comparison.hpp"
#include "harness/primary/primary.hpp"
#include "harness/primary/snapshot/exact_snapshot.hpp"
#include "harness/report/finding_codes.hpp"
#include "tests/contract/sql_checks/sql_check_test.hpp"

namespace pgrehearse {

inline const std::initializer_list<std::string> comparison_schema{
    "create table orders (id bigint primary key, customer int, amount numeric(10,2), "
    "  note text, placed timestamptz, tags text[])",
    "insert into orders select g, g % 100, g * 1.10, repeat('note ' || g, g % 5), "
    "  timestamptz '2026-01-01' + g * interval '1 min', array['a', g::text] "
    "  from generate_series(1, 5000) g",
    "create table returns (like orders including all)",
    "insert into returns select g + 100000, g, 1, 'x', '2026-01-01', '{}' from generate_series(1, "
    "50) g",
    "create table twins (a int, b text)",
    "insert into twins select 1, 'same' from generate_series(1, 10)",
    "create table \"Odd Name\" (t int, \"T\" text, doubled int generated always as (t * 2) stored, "
    "  gone int, document json, place point, acl aclitem)",
    "alter table \"Odd Name\" drop column gone",
    "insert into \"Odd Name\" values (1, 'x', default, '{\"a\": 1}', '(1,2)', "
    "'postgres=r/postgres')",
    "create table nothing ()",
    "insert into nothing default values",
    "create table parted (id int, v text) partition by range (id)",
    "create table parted_low partition of parted for values from (0) to (100)",
    "create table parted_high partition of parted for values from (100) to (200)",
    "insert into parted select g, 'v' || g from generate_series(0, 199) g",
    "create table parent (i int)",
    "create table child (j int) inherits (parent)",
    "insert into parent values (1)",
    "insert into child values (2, 3)",
    "create unlogged table scratch (i int)",
    "insert into scratch values (1)",
    "create table large (id int, v text)",
    "alter table large alter column v set storage external",
    "insert into large select 1, string_agg(md5(g::text), '') from generate_series(1, 3000) g",
    "create table \"Odd Name2\" (c varchar(10) not null default 'x')",
    "create materialized view summary as select customer, sum(amount) from orders group by 1",
    "create materialized view unfilled as select 1 as one with no data",
    "create view recent as select * from orders where placed > '2026-01-02'",
    "create sequence numbers cache 5",
    "select nextval('numbers') from generate_series(1, 40)",
    "create sequence untouched",
    "create function total(customer int) returns numeric language sql as "
    "  'select sum(amount) from public.orders o where o.customer = $1'",
    "create function touch() returns trigger language plpgsql as 'begin return new; end'",
    "create trigger touched before update on orders for each row execute function touch()",
    "create type color as enum ('red', 'green')",
    "create domain positive as int check (value > 0)",
    "alter table orders enable row level security",
    "create policy own on orders using (customer = 1)",
    "create index orders_customer on orders (customer)",
    "alter table returns add constraint small check (amount < 1000)",
    "comment on table orders is 'what was ordered'",
    "select lo_from_bytea(4711, 'a large object')",
    "analyze"};

// Nobody writes here: any point is exact.
inline FingerprintCapture::TakeSnapshots quiet_snapshots() {
  return [](const Primary& server, const std::vector<std::string>& databases,
            const std::stop_token& stop) {
    const auto held =
        std::make_shared<HeldSnapshots>(take_snapshots(server, {.databases = databases}, stop));
    auto snapshots = held->for_capture();
    for (auto& snapshot : snapshots) {
      snapshot.facts.exact = true;
      snapshot.join = [held, join = std::move(snapshot.join)](std::stop_token joining) {
        return join(std::move(joining));
      };
    }
    return snapshots;
  };
}

class ComparisonTest : public SqlCheckTest {
 protected:
  static void SetUpTestSuite() {
    if (!ThrowawayCluster::available()) return;
    original = copy_cluster().create_database();
    copy_cluster().execute(original, comparison_schema);
    copy_cluster().execute("postgres", {"create role reader login"});
    copy_cluster().execute(original, {"grant select on orders to reader"});
    fingerprint = take();
  }
  static void TearDownTestSuite() {
    if (!ThrowawayCluster::available()) return;
    copy_cluster().execute("postgres", {"drop database " + original, "drop role reader"});
  }

  static std::string take(const std::string& user = "postgres", FingerprintRules rules = {}) {
    const Primary primary(copy_cluster().dsn(user));
    rules.database = [](std::string_view name) { return name == original; };
    const FingerprintCapture capture(primary, std::move(rules), quiet_snapshots());
    std::ostringstream out;
    capture.run(out, {}, {});
    return out.str();
  }

  std::string make_copy() {
    copy = fmt::format("copy_{}", ++copies);
    copy_cluster()
        .connect("postgres")
        .query(fmt::format("create database {} template {}", copy, original));
    return copy;
  }
  void TearDown() override {
    if (!copy.empty()) copy_cluster().execute("postgres", {"drop database " + copy});
  }

  // "PGR-COMPARE-CONTENT test_1.public.orders", without the database.
  std::vector<std::string> compare(const std::string& with = fingerprint) {
    FingerprintReader reader(std::make_unique<std::istringstream>(with), "memory");
    EXPECT_TRUE(reader.seek(original));
    const auto facts = std::get<DatabaseFingerprint>(*reader.next());
    FindingList list;
    tally = {};
    const DatabaseComparison comparison{
        .database = original,
        .with_cluster = facts.with_cluster,
        .sample = reader.header().sample,
        .connect = [this] { return copy_cluster().connect(copy); },
    };
    compare_database(reader, comparison, list, tally, {});
    findings = list.take();
    std::vector<std::string> texts;
    for (const auto& finding : findings) {
      auto object = finding.object;
      if (object.starts_with(original + ".")) object = object.substr(original.size() + 1);
      // The cluster is the copy's own: its list of databases differs by the copy itself.
      if (object.starts_with("copy_")) continue;
      const auto code = text_of(finding.code).substr(std::string_view("PGR-COMPARE-").size());
      texts.push_back(std::string(code) + " " + object);
    }
    return texts;
  }

  // Makes a copy, changes it, and compares.
  std::vector<std::string> after(std::initializer_list<std::string> mutations) {
    make_copy();
    copy_cluster().execute(copy, mutations);
    return compare();
  }

  inline static std::string original;
  inline static std::string fingerprint;
  inline static int copies = 0;
  std::string copy;
  std::vector<Finding> findings;
  ComparisonTally tally;
};

}  // namespace pgrehearse
