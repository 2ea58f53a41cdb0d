-- The small database into which faults are injected. Run with psql in the database postgres.
-- Its transactions would be newer than the last workload.
alter system set autovacuum = off;
select pg_reload_conf();
create database shop;
\connect shop
create schema sales;
create table sales.customers (
  id integer primary key,
  email text not null,
  name text not null
);
insert into sales.customers
select n, 'customer' || n || '@example.org', 'Customer ' || n from generate_series(1, 2000) n;
create unique index customers_email on sales.customers (email);
create table sales.orders (
  id serial primary key,
  customer integer not null references sales.customers,
  note text collate "C" not null,
  amount numeric(10, 2) not null
);
insert into sales.orders (customer, note, amount)
select 1 + n % 2000, md5(n::text), n % 997 from generate_series(1, 12000) n;
create index orders_note on sales.orders (note);
create table sales.documents (id integer primary key, body text not null);
alter table sales.documents alter body set storage external;
insert into sales.documents select n, repeat(md5(n::text), 200) from generate_series(1, 40) n;
-- No index: damage shows only in its pages and rows.
create table sales.journal (entry integer not null, words text not null);
insert into sales.journal select n, repeat('word ', 20) from generate_series(1, 4000) n;
create table sales.names (name text collate "C" not null);
insert into sales.names
select case when n % 2 = 0 then upper(name) else name end || n
from (select n, 'name' || n as name from generate_series(1, 500) n) as names;
create index names_name on sales.names (name);
-- Indexes that amcheck does not examine.
create table sales.places (
  id integer not null,
  name text not null,
  tags text[] not null,
  open int4range not null
);
insert into sales.places
select n, md5(n::text), array['tag' || n % 50, md5(n::text)], int4range(n, n + 10)
from generate_series(1, 1500) n;
create index places_tags on sales.places using gin (tags);
create index places_open on sales.places using gist (open);
create index places_name on sales.places using spgist (name);
create index places_hash on sales.places using hash (name);
-- The workload changes the summaries of its pages.
create table sales.readings (taken integer not null, value text not null) with (fillfactor = 50);
insert into sales.readings select n, repeat('value ', 10) from generate_series(1, 2000) n;
create index readings_taken on sales.readings using brin (taken) with (pages_per_range = 1);
select lo_from_bytea(0, 'a large object') from generate_series(1, 3);
create unlogged table sales.cache as select generate_series(1, 100) as n;
create table sales.events (round integer primary key, at timestamptz not null default now());
vacuum (analyze);
create database billing;
\connect billing
create schema sales;
create table sales.invoices (id integer primary key, amount numeric(10, 2) not null);
insert into sales.invoices select n, n from generate_series(1, 300) n;
vacuum (analyze);
