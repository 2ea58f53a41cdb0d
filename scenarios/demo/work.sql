-- The workload of the demo after a backup; run once after the full and once after the
-- incremental backup, by psql with the variables `factor` and `round`.
\set ON_ERROR_STOP on
set client_min_messages = warning;
\connect shop
set client_min_messages = warning;
set synchronous_commit = off;
select set_config('shop.factor', :'factor', false) \g /dev/null

-- Many transactions, so that replay has commits to stop at.
create or replace procedure sales.trade(day integer, batches integer) language plpgsql as $$
declare
  batch integer;
  first bigint;
begin
  for batch in 1..batches loop
    insert into sales.orders (customer_id, state)
      select n % public.scaled(20000) + 1, 'placed' from generate_series(1, public.scaled(200)) n;
    first := currval(pg_get_serial_sequence('sales.orders', 'id')) - public.scaled(200) + 1;
    insert into sales.order_items
      select o.id, o.created_at, 1, (o.id % public.scaled(5000)) + 1, 1, 9.99
      from sales.orders o where o.id >= first and o.created_at >= now();
    update inventory.stock_levels set quantity = (quantity + batch) % 1000, counted_at = now()
      where product_id % 20 = batch % 20;
    update sales.orders set state = 'shipped'
      where id % batches = batch and state = 'paid' and created_at > now() - interval '3 months';
    insert into audit.heartbeat (what) values (format('day %s, batch %s', day, batch));
    commit;
    -- As with archive_timeout: many small segments.
    if batch % 4 = 0 then perform pg_switch_wal(); end if;
  end loop;
end $$;
call sales.trade(:round, 20);
select pg_switch_wal() \g /dev/null

-- Documents are inserted, changed and deleted; some changes are rolled back.
insert into documents.documents
select md5(:'round' || '/' || n)::uuid, n % public.scaled(20000) + 1, 'Invoice ' || :'round' || '/' || n,
       repeat('Later ' || n || ' lines of the same text. ', 200), public.noise(:'round' || n, 12000),
       case when n % 10 = 0 then lo_from_bytea(0, public.noise(:'round' || 'a' || n, 60000)) end
from generate_series(1, public.scaled(400)) n;
select pg_switch_wal() \g /dev/null
delete from documents.documents where hashtext(id::text) % 10 = :round and attachment is null;
begin;
update inventory.products set price = price + 1000;
rollback;
update inventory.products set price = price + 0.10, attributes = attributes || '{"repriced": true}'
  where id % 3 = :round;
update sales.customers set preferences = preferences || jsonb_build_object('round', :round)
  where id % 5 = :round;
select pg_switch_wal() \g /dev/null
refresh materialized view sales.monthly_revenue;
call sales.trade(10 + :round, 20);
select pg_switch_wal() \g /dev/null

-- The schema changes as well: new objects, a rewritten table, a reindexed one, a truncated one.
create table sales.returns_:round (order_id bigint primary key, reason text not null);
insert into sales.returns_:round
  select id, 'too ' || md5(id::text) from sales.orders where state = 'returned' and id % 3 = :round;
alter table inventory.products add column shelf_:round integer not null default :round;
vacuum full inventory.stock_levels;
reindex index inventory.products_sku_hash;
vacuum analyze sales.orders;
truncate inventory.import_buffer;
select pg_switch_wal() \g /dev/null

\connect crm
update contacts.people set name = name || ' (called)' where id % 4 = :round;
insert into contacts.calls (person_id, summary)
  select id, 'round ' || :round from contacts.people where id % 2 = 0;
\connect shop
insert into audit.heartbeat (what) values (format('round %s ends', :round));
