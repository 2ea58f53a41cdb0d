-- A database with every kind of relation, for random damage. Run in the database postgres; the first
-- part before the older version of the files is saved, the second after it.
\if :first
create role pgrehearse login bypassrls replication;
grant pg_monitor, pg_read_all_data to pgrehearse;
grant execute on function pg_create_restore_point(text), pg_switch_wal() to pgrehearse;
create database rich;
\connect rich
create extension btree_gist;
create extension pg_trgm;
create schema app;
create type app.state as enum ('new', 'paid', 'sent');
create domain app.positive as integer check (value > 0);

create table app.plain (id integer not null, words text, amount numeric(10, 2));
insert into app.plain select n, repeat('word' || n || ' ', 8), n % 997 from generate_series(1, 3000) n;

create table app.people (
  id serial primary key, email text unique not null, name text not null, born date not null,
  state app.state not null, rank app.positive not null, tags text[] not null, profile jsonb not null,
  search tsvector not null, area box not null, place point not null, address inet not null,
  period int4range not null, word text not null);
insert into app.people (email, name, born, state, rank, tags, profile, search, area, place, address,
                        period, word)
select 'p' || n || '@example.org', md5(n::text), date '1950-01-01' + n * 5,
       (array['new', 'paid', 'sent'])[1 + n % 3]::app.state, 1 + n % 50,
       array['t' || n % 40, 'u' || n], jsonb_build_object('k', n % 60, 'id', n),
       to_tsvector('simple', 'w' || n || ' v' || n % 30), box(point(n, n), point(n + 3, n + 2)),
       point(n % 100, n / 100), ('10.0.' || n / 250 || '.' || n % 250)::inet,
       int4range(n * 10, n * 10 + 9), 'word' || reverse(n::text)
from generate_series(1, 2500) n;
create index people_name on app.people (name);
create index people_name_born on app.people (name, born) include (state);
create index people_lower on app.people (lower(email));
create index people_paid on app.people (born) where state = 'paid';
create index people_state on app.people (state);
create index people_hash on app.people using hash (email);
create index people_tags on app.people using gin (tags);
create index people_profile on app.people using gin (profile);
create index people_paths on app.people using gin (profile jsonb_path_ops);
create index people_search on app.people using gin (search);
create index people_trigrams on app.people using gin (word gin_trgm_ops);
create index people_area on app.people using gist (area);
create index people_period on app.people using gist (period);
create index people_rank on app.people using gist (rank);
create index people_place on app.people using spgist (place);
create index people_kd on app.people using spgist (place kd_point_ops);
create index people_word on app.people using spgist (word);
create index people_address on app.people using spgist (address);
create index people_brin on app.people using brin (id) with (pages_per_range = 4);
create index people_brin_born on app.people using brin (born date_minmax_multi_ops)
  with (pages_per_range = 2);
create index people_bloom on app.people using brin (email text_bloom_ops) with (pages_per_range = 2);
create index people_inclusion on app.people using brin (address inet_inclusion_ops)
  with (pages_per_range = 2);

create table app.orders (
  id bigint generated always as identity primary key, person integer not null references app.people,
  note text collate "C" not null);
insert into app.orders (person, note) select 1 + n % 2500, md5(n::text) from generate_series(1, 4000) n;
create index orders_note on app.orders (note);
create index orders_person on app.orders (person);

create table app.bookings (room integer, during int4range, exclude using gist (room with =, during with &&));
insert into app.bookings select n % 20, int4range(n, n + 15) from generate_series(1, 900) n
on conflict do nothing;

create table app.documents (id integer primary key, body text not null);
alter table app.documents alter body set storage external;
insert into app.documents select n, repeat(md5(n::text), 200) from generate_series(1, 60) n;
create table app.pages (id integer primary key, body text not null);
insert into app.pages
select n, (select string_agg(md5((n * 1000 + i)::text), ' ' || left(repeat('x', i), 20))
           from generate_series(1, 150) i)
from generate_series(1, 50) n;

create table app.readings (day date not null, sensor integer not null, value float8) partition by range (day);
create table app.readings_1 partition of app.readings for values from ('2026-01-01') to ('2026-02-01');
create table app.readings_2 partition of app.readings for values from ('2026-02-01') to ('2026-03-01');
create table app.readings_rest partition of app.readings default;
create index readings_sensor on app.readings (sensor, day);
insert into app.readings select date '2026-01-01' + n % 80, n % 17, n from generate_series(1, 3000) n;
create materialized view app.totals as select person, count(*) from app.orders group by person;
create unique index totals_person on app.totals (person);

create unlogged table app.cache (id integer primary key, value text);
insert into app.cache select n, md5(n::text) from generate_series(1, 800) n;
create index cache_value on app.cache using gin (string_to_array(value, 'a'));
create sequence app.numbers start 1000;
select nextval('app.numbers');
select lo_from_bytea(0, convert_to(repeat(md5(n::text), 300), 'UTF8')) from generate_series(1, 12) n;
create table app.events (at timestamptz not null default now());
comment on table app.plain is 'no index';

create database other locale_provider icu icu_locale 'de-DE' template template0;
\connect other
create table public.names (name text primary key);
insert into public.names select 'Müller ' || md5(n::text) from generate_series(1, 800) n;
\else
\connect rich
update app.plain set words = words || '!' where id % 11 = 0;
delete from app.plain where id % 13 = 0;
update app.people set name = md5(name), tags = tags || 'late'::text, address = address + 1 where id % 9 = 0;
delete from app.orders where id % 8 = 0;
delete from app.people where id % 17 = 0 and not exists (select from app.orders where person = people.id);
insert into app.people (email, name, born, state, rank, tags, profile, search, area, place, address,
                        period, word)
select 'late' || email, reverse(name), born + 7, state, rank, tags, profile || '{"late": 1}', search,
       area, point(id % 77, -1), address + 1000, int4range(id * 10 + 900000, id * 10 + 900007), word || '2'
from app.people where id % 6 = 0;
update app.orders set note = md5(note) where id % 10 = 0;
update app.documents set body = reverse(body) where id % 5 = 0;
delete from app.pages where id % 7 = 0;
update app.readings set value = -value where sensor = 3;
delete from app.readings where sensor = 4;
refresh materialized view app.totals;
select nextval('app.numbers') from generate_series(1, 50);
select lo_put(oid, 100, 'changed') from pg_largeobject_metadata where oid::int8 % 3 = 0;
delete from app.cache where id % 3 = 0;
vacuum (analyze);
delete from app.orders where id % 9 = 1;
delete from app.plain where id % 10 = 1;
update app.people set rank = rank + 1 where id % 50 = 0;
create table app.readings_3 partition of app.readings for values from ('2027-01-01') to ('2027-02-01');
\connect other
delete from public.names where name like '%0%';
vacuum (analyze);
\endif
