#include "tests/contract/sql_checks/random_mutations.hpp"

#include <fmt/format.h>

#include <array>
#include <functional>

namespace pgrehearse {

namespace {

class Draw {
 public:
  Draw(std::mt19937& random, std::string database)
      : random_(random), database_(std::move(database)) {}

  int number(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  template <typename Choices>
  auto one_of(const Choices& choices) {
    return choices[static_cast<std::size_t>(number(0, static_cast<int>(std::size(choices)) - 1))];
  }
  [[nodiscard]] const std::string& database() const { return database_; }

 private:
  std::mt19937& random_;
  std::string database_;
};

using Maker = std::function<RandomMutation(Draw& draw)>;

RandomMutation row_changed(Draw& draw) {
  static constexpr std::array changes{"amount = amount + 0.01",
                                      "customer = -customer - 1",
                                      "note = note || ' '",
                                      "note = null",
                                      "placed = placed + interval '1us'",
                                      "tags = tags || null::text",
                                      "tags = tags[2:1]",
                                      "tags[1] = upper(tags[1])"};
  const int id = draw.number(1, 5000);
  const std::string change = draw.one_of(changes);
  return {fmt::format("orders {}: {}", id, change),
          {fmt::format("update orders set {} where id = {}", change, id)},
          {"CONTENT public.orders"}};
}

RandomMutation row_of_another_table(Draw& draw) {
  switch (draw.number(0, 3)) {
    case 0:
      return {
          "twins: one of equal rows",
          {fmt::format("update twins set b = 'Same' where ctid = '(0,{})'", draw.number(1, 10))},
          {"CONTENT public.twins"}};
    case 1:
      return {"Odd Name: an access list",
              {"update \"Odd Name\" set acl = 'postgres=rw/postgres'"},
              {"CONTENT public.\"Odd Name\""}};
    case 2:
      return {"Odd Name: a point",
              {"update \"Odd Name\" set place = '(1,2.0000000000000004)'"},
              {"CONTENT public.\"Odd Name\""}};
    default: {
      const int id = draw.number(0, 199);
      return {fmt::format("parted {}", id),
              {fmt::format("update parted set v = v || '.' where id = {}", id)},
              {id < 100 ? "CONTENT public.parted_low" : "CONTENT public.parted_high"}};
    }
  }
}

RandomMutation row_deleted(Draw& draw) {
  switch (draw.number(0, 3)) {
    case 0:
      return {"a row of returns deleted",
              {fmt::format("delete from returns where id = {}", 100000 + draw.number(1, 50))},
              {"ROWS-MISSING public.returns"}};
    case 1:
      return {"one of equal rows deleted",
              {fmt::format("delete from twins where ctid = '(0,{})'", draw.number(1, 10))},
              {"ROWS-MISSING public.twins"}};
    case 2:
      return {"a row without columns deleted",
              {"delete from nothing"},
              {"ROWS-MISSING public.nothing"}};
    default: {
      const int id = draw.number(1, 5000);
      return {fmt::format("orders {} deleted", id),
              {fmt::format("delete from orders where id = {}", id)},
              {"ROWS-MISSING public.orders"}};
    }
  }
}

RandomMutation row_added(Draw& draw) {
  static constexpr std::array tables{"twins", "nothing", "child", "parent", "\"Odd Name2\""};
  const std::string table = draw.one_of(tables);
  return {fmt::format("a row of {} added", table),
          {fmt::format("insert into {} default values", table)},
          {"ROWS-EXTRA public." + table}};
}

RandomMutation rows_swapped(Draw& draw) {
  const int order = draw.number(1, 5000);
  const int returned = 100000 + draw.number(1, 50);
  return {fmt::format("orders {} and returns {} swapped", order, returned),
          {fmt::format("with a as (delete from orders where id = {} returning *), "
                       "b as (delete from returns where id = {} returning *), "
                       "c as (insert into returns select id, customer, least(amount, 999), note, "
                       "placed, tags from a) insert into orders select * from b",
                       order, returned)},
          {"CONTENT public.orders", "CONTENT public.returns"}};
}

RandomMutation byte_changed(Draw& draw) {
  const int at = draw.number(1, 96000);
  return {fmt::format("byte {} of a toasted value", at),
          {fmt::format("update large set v = overlay(v placing 'Z' from {})", at)},
          {"CONTENT public.large"}};
}

RandomMutation large_object(Draw& draw) {
  if (draw.number(0, 3) == 0) {
    return {"a large object unlinked",
            {"select lo_unlink(4711)"},
            {"ROWS-MISSING pg_catalog.pg_largeobject",
             "ROWS-MISSING pg_catalog.pg_largeobject_metadata"}};
  }
  const int at = draw.number(0, 13);
  return {fmt::format("byte {} of a large object", at),
          {fmt::format("select lo_put(4711, {}, '!')", at)},
          {"CONTENT pg_catalog.pg_largeobject"}};
}

RandomMutation sequence(Draw& draw) {
  if (draw.number(0, 2) == 0) {
    return {
        "an unused sequence used", {"select nextval('untouched')"}, {"SEQUENCE public.untouched"}};
  }
  const int to = draw.number(1, 39);
  const int value = draw.number(0, 1) == 0 ? to : 1000 + to;
  return {fmt::format("a sequence set to {}", value),
          {fmt::format("select setval('numbers', {})", value)},
          {"SEQUENCE public.numbers"}};
}

RandomMutation changed(std::string what, std::string statement, const std::string& object) {
  return {std::move(what), {std::move(statement)}, {"CATALOG-CHANGED " + object}};
}
RandomMutation missing(std::string what, std::string statement, const std::string& object) {
  return {std::move(what), {std::move(statement)}, {"CATALOG-MISSING " + object}};
}
RandomMutation extra(std::string what, std::string statement, const std::string& object) {
  return {std::move(what), {std::move(statement)}, {"CATALOG-EXTRA " + object}};
}

RandomMutation grant(Draw& draw) {
  switch (draw.number(0, 5)) {
    case 0:
      return missing("a grant lost", "revoke select on orders from reader",
                     "table public.orders to reader");
    case 1:
      return changed("a grant widened", "grant delete on orders to reader",
                     "table public.orders to reader");
    case 2:
      return changed("a grant option", "grant select on orders to reader with grant option",
                     "table public.orders to reader");
    case 3:
      return extra("a column's grant", "grant select (note) on returns to reader",
                   "column public.returns.note to reader");
    case 4:
      return extra("a default privilege",
                   "alter default privileges in schema public grant select on tables to reader",
                   "r of postgres in public to reader");
    default:
      return changed("a schema's grant", "grant create on schema public to public",
                     "schema public to public");
  }
}

RandomMutation function(Draw& draw) {
  static constexpr std::array changes{"volatile cost 5", "immutable",      "security definer",
                                      "strict",          "parallel safe",  "set work_mem = '1MB'",
                                      "leakproof",       "owner to reader"};
  if (draw.number(0, 1) == 0) {
    const auto body = fmt::format("begin return new; -- {}\nend", draw.number(1, 1000));
    return changed("a function's body",
                   fmt::format("create or replace function touch() returns trigger language "
                               "plpgsql as $${}$$",
                               body),
                   "public.touch()");
  }
  const std::string change = draw.one_of(changes);
  return changed("a function: " + change, fmt::format("alter function total(int) {}", change),
                 "public.total(int4)");
}

RandomMutation column(Draw& draw) {
  switch (draw.number(0, 6)) {
    case 0:
      return changed("a column's default", "alter table returns alter column note set default 'n'",
                     "public.returns");
    case 1:
      return changed("a column's not null",
                     "alter table \"Odd Name2\" alter column c drop not null",
                     "public.\"Odd Name2\"");
    case 2:
      return changed("a column's name", "alter table \"Odd Name\" rename column t to u",
                     "public.\"Odd Name\"");
    case 3:
      return changed("a column's length",
                     "alter table \"Odd Name2\" alter column c type varchar(11)",
                     "public.\"Odd Name2\"");
    case 4:
      return changed("a column's storage", "alter table twins alter column b set storage main",
                     "public.twins");
    case 5:
      return changed("a column's statistics target",
                     "alter table twins alter column b set statistics 7", "public.twins");
    default:
      return changed("a column's compression",
                     "alter table twins alter column b set compression pglz", "public.twins");
  }
}

RandomMutation table(Draw& draw) {
  switch (draw.number(0, 7)) {
    case 0:
      return changed("a table's owner", "alter table twins owner to reader", "public.twins");
    case 1:
      return changed("a table's fill factor", "alter table twins set (fillfactor = 70)",
                     "public.twins");
    case 2:
      return changed("row security", "alter table orders disable row level security",
                     "public.orders");
    case 3:
      return changed("a replica identity", "alter table twins replica identity full",
                     "public.twins");
    case 4:
      return missing("a table dropped", "drop table nothing", "public.nothing");
    case 5:
      return extra("a table added", "create table surplus (i int)", "public.surplus");
    case 6:
      return changed("a comment", "comment on table orders is 'else'", "public.orders pg_class");
    default:
      return changed("a sequence's cache", "alter sequence untouched cache 6", "public.untouched");
  }
}

RandomMutation part_of_table(Draw& draw) {
  switch (draw.number(0, 8)) {
    case 0:
      return missing("an index dropped", "drop index orders_customer", "public.orders_customer");
    case 1:
      return extra("an index added", "create index extra on returns (note)", "public.extra");
    case 2:
      return missing("a constraint dropped", "alter table returns drop constraint small",
                     "public.returns.small");
    case 3:
      return extra("a constraint added",
                   "alter table twins add constraint positive check (a > 0) not valid",
                   "public.twins.positive");
    case 4:
      return changed("a trigger disabled", "alter table orders disable trigger touched",
                     "public.orders.touched");
    case 5:
      return missing("a trigger dropped", "drop trigger touched on orders",
                     "public.orders.touched");
    case 6:
      return changed(
          "a policy's condition",
          fmt::format("alter policy own on orders using (customer = {})", draw.number(2, 1000)),
          "public.orders.own");
    case 7:
      return changed("a policy's roles", "alter policy own on orders to reader",
                     "public.orders.own");
    default:
      return extra("statistics", "create statistics surplus on a, b from twins", "public.surplus");
  }
}

RandomMutation other_object(Draw& draw) {
  switch (draw.number(0, 6)) {
    case 0:
      return changed("a view's definition",
                     fmt::format("create or replace view recent as select * from orders where "
                                 "placed > '2026-02-{:02}'",
                                 draw.number(1, 28)),
                     "public.recent.\"_RETURN\"");
    case 1:
      return changed("an enum's label", "alter type color add value 'blue'", "public.color");
    case 2:
      return changed("an enum's label renamed", "alter type color rename value 'red' to 'Red'",
                     "public.color");
    case 3:
      return missing("a domain's constraint",
                     "alter domain positive drop constraint positive_check",
                     "public.positive.positive_check");
    case 4:
      return extra("a schema", "create schema surplus", "surplus");
    case 5:
      return extra("a publication", "create publication surplus for table twins", "surplus");
    default:
      return extra("a text search configuration",
                   "create text search configuration surplus (copy = simple)",
                   "text search configuration public.surplus");
  }
}

RandomMutation of_cluster(Draw& draw) {
  const auto& database = draw.database();
  switch (draw.number(0, 5)) {
    case 0:
      return {"a role's attribute",
              {"alter role reader createdb"},
              {"CATALOG-CHANGED reader"},
              {"alter role reader nocreatedb"}};
    case 1:
      return {"a role's setting",
              {"alter role reader set work_mem = '3MB'"},
              {"CATALOG-EXTRA reader in any database"},
              {"alter role reader reset work_mem"}};
    case 2:
      return {"a role's membership",
              {"grant pg_monitor to reader"},
              {"CATALOG-EXTRA reader in pg_monitor by postgres"},
              {"revoke pg_monitor from reader"}};
    case 3:
      return {"a database's setting",
              {fmt::format("alter database {} set work_mem = '3MB'", database)},
              {"CATALOG-EXTRA any role in " + database},
              {fmt::format("alter database {} reset work_mem", database)}};
    case 4:
      return {"a database's connection limit",
              {fmt::format("alter database {} connection limit 17", database)},
              {"CATALOG-CHANGED " + database},
              {fmt::format("alter database {} connection limit -1", database)}};
    default:
      return {"a role added",
              {"create role surplus"},
              {"CATALOG-EXTRA surplus"},
              {"drop role surplus"}};
  }
}

// Half of them change rows.
const std::array<Maker, 16> makers{row_changed,  row_changed, row_changed,   row_of_another_table,
                                   row_deleted,  row_added,   rows_swapped,  byte_changed,
                                   large_object, sequence,    grant,         function,
                                   column,       table,       part_of_table, other_object};

}  // namespace

RandomMutation random_mutation(std::mt19937& random, const std::string& database) {
  Draw draw(random, database);
  if (draw.number(1, 12) == 1) return of_cluster(draw);
  return draw.one_of(makers)(draw);
}

std::string random_work(std::mt19937& random) {
  Draw draw(random, {});
  const int id = draw.number(1, 5000);
  switch (draw.number(0, 11)) {
    case 0:
      return fmt::format("update orders set note = note || '+' where id between {} and {}", id,
                         id + 50);
    case 1:
      return fmt::format("delete from orders where id between {} and {}", id, id + 20);
    case 2:
      return "insert into orders select max(id) + 1, 5, 1.5, 'new', now(), '{}' from orders";
    case 3:
      return "select nextval('numbers')";
    case 4:
      return "vacuum orders";
    case 5:
      return "vacuum full orders";
    case 6:
      return "truncate twins";
    case 7:
      return fmt::format("insert into twins select g, 'row' from generate_series(1, {}) g", id);
    case 8:
      return fmt::format("select lo_from_bytea(0, repeat('x', {})::bytea)", id);
    case 9:
      return fmt::format("alter table twins add column if not exists c{} int default {}", id, id);
    case 10:
      return "refresh materialized view summary";
    default:
      return fmt::format("select setval('untouched', {})", id);
  }
}

}  // namespace pgrehearse
