#include "tests/drills/loops/load.hpp"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <utility>

namespace pgrehearse {

namespace {

constexpr const char* schema = R"(
create table public.notes (id bigserial primary key, n int, t text);
create table public.steps (id bigserial primary key, client int, n int);
create table public.promises (id bigserial primary key, n int);
create table public.emptied (n int, t text);
create table public.copied (a int, b text);
create sequence public.tickets cache 7;
create sequence public.countdown increment by -3 minvalue -9223372036854775808 maxvalue 1000 start 1000;
create table public.swap_a (n int);
create table public.swap_b (n int);
insert into public.swap_a select generate_series(1, 10);
insert into public.swap_b select generate_series(1, 20);
create table public.objects (id oid primary key);
)";

struct Script {
  const char* name;
  int clients;
  const char* text;
};

constexpr std::array scripts{
    Script{"savepoints", 3, R"(
\set n random(1, 100000)
begin;
insert into public.steps (client, n) values (:client_id, :n);
savepoint one;
update public.steps set n = n + 1 where id = (select max(id) from public.steps where client = :client_id);
savepoint two;
insert into public.steps (client, n) values (:client_id, -:n);
rollback to savepoint two;
insert into public.steps (client, n) values (:client_id, 2 * :n);
release savepoint one;
commit;
begin;
savepoint lost;
insert into public.steps (client, n) values (:client_id, 0);
release savepoint lost;
rollback;
)"},
    Script{"prepared", 2, R"(
\set n random(1, 100000)
begin;
insert into public.promises (n) values (:n);
savepoint inner_one;
insert into public.promises (n) values (-:n);
release savepoint inner_one;
prepare transaction 'kept_:client_id';
\sleep 5 ms
commit prepared 'kept_:client_id';
begin;
insert into public.promises (n) values (0);
prepare transaction 'dropped_:client_id';
rollback prepared 'dropped_:client_id';
)"},
    Script{"truncate", 1, R"(
begin;
truncate public.emptied;
insert into public.emptied select g, md5(g::text) from generate_series(1, 200) g;
commit;
\sleep 300 ms
)"},
    Script{"ddl", 1, R"(
\set n random(1, 1000000)
begin;
create table public.short_lived (id int primary key, v text default 'x');
insert into public.short_lived select g, md5(g::text) from generate_series(1, 100) g;
commit;
alter table public.short_lived add column w int default 7;
create index on public.short_lived (v);
create or replace function public.changing() returns int language sql as 'select :n';
alter table public.short_lived alter column w type bigint;
begin;
alter table public.swap_a rename to swap_c;
alter table public.swap_b rename to swap_a;
alter table public.swap_c rename to swap_b;
commit;
\sleep 300 ms
drop table public.short_lived;
)"},
    Script{"copy", 1, R"(
copy public.copied from '@rows@';
delete from public.copied where ctid in (select ctid from public.copied limit 400);
\sleep 50 ms
)"},
    Script{"sequences", 2, R"(
select nextval('public.tickets') from generate_series(1, 20);
select nextval('public.countdown');
insert into public.notes (n, t) values (1, repeat('note', 700));
delete from public.notes where id in (select id from public.notes order by id limit 1);
)"},
    Script{"objects", 1, R"(
\set n random(1, 1000000)
insert into public.objects select lo_from_bytea(0, decode(md5(:n::text), 'hex'));
delete from public.objects where id = (select min(id) from public.objects)
  and (select count(*) from public.objects) > 100 and lo_unlink(id) = 1;
\sleep 20 ms
)"},
};

}  // namespace

Load::Load(Laboratory& laboratory, CommandRunner& runner, const LoadOptions& options)
    : laboratory_(laboratory), runner_(runner), options_(options) {
  const auto made = runner.run(
      laboratory.command(
          laboratory.program("pgbench"),
          {"--initialize", "--quiet", fmt::format("--scale={}", options.scale),
           "--host=" + laboratory.paths().sockets.native(), "--username=postgres", "postgres"}),
      {});
  if (!made.succeeded()) throw std::runtime_error("pgbench: " + made.error_output);
  if (options_.kind != "mixed") return;
  laboratory_.run_script("schema", schema, {}, {});
  std::ofstream rows(laboratory_.paths().scripts / "rows.txt");
  for (int i = 0; i < 400; ++i) rows << i << "\tcopied " << i << '\n';
}

void Load::start() {
  run("", options_.clients);
  if (options_.kind != "mixed") return;
  const auto rows = (laboratory_.paths().scripts / "rows.txt").native();
  for (const auto& script : scripts) {
    std::string text = script.text;
    if (const auto at = text.find("@rows@"); at != std::string::npos) text.replace(at, 6, rows);
    const auto file = laboratory_.paths().scripts / (std::string(script.name) + ".pgbench");
    std::ofstream(file) << text;
    run(file, script.clients);
  }
}

void Load::run(const std::string& script, int clients) {
  std::vector<std::string> arguments{
      "--no-vacuum", fmt::format("--client={}", clients), "--time=100000",
      "--host=" + laboratory_.paths().sockets.native(), "--username=postgres"};
  if (!script.empty()) arguments.push_back("--file=" + script);
  arguments.emplace_back("postgres");
  auto command = laboratory_.command(laboratory_.program("pgbench"), std::move(arguments));
  command.timeout = std::chrono::hours(10);
  threads_.emplace_back([this, script, command = std::move(command)](const std::stop_token& stop) {
    const auto result = runner_.run(command, stop);
    const std::lock_guard lock(mutex_);
    // A failed client is reported; the others continue.
    if (!result.cancelled || result.error_output.find("aborted") != std::string::npos) {
      failures_ += fmt::format("{}: {}\n", script, result.error_output);
    }
  });
}

std::string Load::stop() {
  for (auto& thread : threads_) thread.request_stop();
  threads_.clear();
  return failures_;
}

}  // namespace pgrehearse
