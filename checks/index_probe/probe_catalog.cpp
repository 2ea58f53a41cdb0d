#include "checks/index_probe/probe_catalog.hpp"

#include <algorithm>

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

// A row is a key column of an index. Objects below 16384 were created by initdb. Operator classes
// and base types can only be created by superusers, but their functions may be in any language.
constexpr const char* key_columns_sql = R"(
with recursive trusted as (
  select d.classid, d.objid
    from pg_catalog.pg_depend d
    join pg_catalog.pg_extension e on e.oid = d.refobjid
   where d.refclassid = 'pg_catalog.pg_extension'::regclass and d.deptype = 'e'
     and e.extname in ('bloom', 'btree_gin', 'btree_gist', 'citext', 'cube', 'hstore', 'intarray',
                       'isn', 'ltree', 'pg_trgm', 'seg')),
part(whole, type) as (  -- what a user-defined type is made of
  select t.oid, t.oid from pg_catalog.pg_type t where t.oid >= 16384
  union
  select p.whole, n.type
    from part p
    join pg_catalog.pg_type t on t.oid = p.type
   cross join lateral (
         select t.typbasetype where t.typtype = 'd'
         union all select t.typelem where t.typinput = 'pg_catalog.array_in'::regproc
         union all select r.rngsubtype from pg_catalog.pg_range r where r.rngtypid = t.oid
         union all select r.rngtypid from pg_catalog.pg_range r
                    where (pg_catalog.to_jsonb(r)->>'rngmultitypid')::oid = t.oid) as n(type)),
untrusted(type) as (
  select p.whole
    from part p
    join pg_catalog.pg_type t on t.oid = p.type
    left join pg_catalog.pg_range r on r.rngtypid = t.oid
   where t.oid >= 16384
     and not (t.typtype in ('e', 'd', 'm') or t.typinput = 'pg_catalog.array_in'::regproc)
     and not (t.typtype = 'r' and r.rngcanonical::oid < 16384 and r.rngsubdiff::oid < 16384
              and r.rngsubopc < 16384)
     and not exists (select from trusted u
                      where u.classid = 'pg_catalog.pg_type'::regclass and u.objid = t.oid))
select i.indexrelid, i.indrelid,
       format('%I.%I', n.nspname, c.relname), c.relname, format('%I.%I', tn.nspname, t.relname),
       am.amname,
       pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::int8,
       pg_catalog.pg_relation_size(t.oid) / current_setting('block_size')::int8,
       pg_catalog.pg_get_expr(i.indpred, i.indrelid),
       case when t.relam not in (0, 2) then 'its table is not stored as a heap'
            when am.amname not in ('btree', 'hash', 'gin', 'gist', 'spgist', 'brin', 'bloom')
              then format('its access method %s is not supported', am.amname)
            when i.indexprs is not null then 'it is on an expression'
            when i.indpred is not null and exists (
                   select from pg_catalog.pg_depend d
                     left join pg_catalog.pg_type e
                       on d.refclassid = 'pg_catalog.pg_type'::regclass and e.oid = d.refobjid
                    where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = i.indexrelid
                      and d.refclassid not in (
                          'pg_catalog.pg_class'::regclass, 'pg_catalog.pg_constraint'::regclass,
                          'pg_catalog.pg_collation'::regclass, 'pg_catalog.pg_opclass'::regclass,
                          'pg_catalog.pg_extension'::regclass)
                      and e.typtype is distinct from 'e')
              then 'its predicate uses user-defined functions, operators or types' end,
       quote_ident(a.attname),
       'operator(' || quote_ident(o.nspname) || '.' || o.oprname || ')',
       (select format('%I.%I', ln.nspname, l.collname)
          from pg_catalog.pg_collation l
          join pg_catalog.pg_namespace ln on ln.oid = l.collnamespace
         where l.oid = i.indcollation[k.at - 1]),
       o.oprname = '@@',
       am.amname in ('gist', 'spgist')
         and oc.opcintype in ('point'::regtype, 'box'::regtype, 'polygon'::regtype,
                              'circle'::regtype, 'lseg'::regtype, 'float4'::regtype,
                              'float8'::regtype),
       case when a.atttypid in (select u.type from untrusted u)
              then format('its column type %s is user-defined', a.atttypid::regtype)
            when oc.oid >= 16384
                 and not exists (select from trusted u
                                  where u.classid = 'pg_catalog.pg_opclass'::regclass
                                    and u.objid = oc.oid)
              then format('its operator class %I is user-defined', oc.opcname)
            when o.oid is null
              then format('operator class %I has no operator that is true for a value and itself',
                          oc.opcname)
            when o.oid >= 16384
                 and not (o.prolang = 13
                          and exists (select from trusted u
                                       where u.classid = 'pg_catalog.pg_operator'::regclass
                                         and u.objid = o.oid))
              then format('its operator %s is user-defined', o.oprname) end
  from pg_catalog.pg_index i
  join pg_catalog.pg_class c on c.oid = i.indexrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_am am on am.oid = c.relam
  join pg_catalog.pg_class t on t.oid = i.indrelid
  join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
 cross join lateral pg_catalog.generate_series(1, i.indnkeyatts) as k(at)
  join pg_catalog.pg_opclass oc on oc.oid = i.indclass[k.at - 1]
  left join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[k.at - 1]
  left join lateral (
       select op.oid, op.oprname, opn.nspname, f.prolang
         from pg_catalog.pg_amop m
         join pg_catalog.pg_operator op on op.oid = m.amopopr
         join pg_catalog.pg_namespace opn on opn.oid = op.oprnamespace
         join pg_catalog.pg_proc f on f.oid = op.oprcode
        where m.amopfamily = oc.opcfamily and m.amoppurpose = 's'
          and m.amoplefttype = oc.opcintype
          and (m.amoprighttype = oc.opcintype and op.oprname in ('=', '~=', '@>')
               or m.amoplefttype = 'tsvector'::regtype and op.oprname = '@@')
        order by pg_catalog.array_position(array['=', '~=', '@>', '@@'], op.oprname::text)
        limit 1) as o on true
 where i.indisvalid and i.indisready and i.indislive and c.relkind = 'i'
   and t.relkind in ('r', 'm') and t.relispopulated and t.relpersistence = 'p'
   and tn.nspname not in ('pg_catalog', 'information_schema')
 order by 5, 3, k.at)";

}  // namespace

std::vector<ProbeIndex> list_probe_indexes(Connection& sql) {
  const auto rows = sql.query(key_columns_sql);
  std::vector<ProbeIndex> indexes;
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    if (indexes.empty() || indexes.back().oid != rows.text(row, 0)) {
      indexes.push_back({.oid = rows.text(row, 0),
                         .table_oid = rows.text(row, 1),
                         .name = rows.text(row, 2),
                         .bare_name = rows.text(row, 3),
                         .table = rows.text(row, 4),
                         .method = rows.text(row, 5),
                         .blocks = number_of<std::uint64_t>(rows.text(row, 6)),
                         .table_blocks = number_of<std::uint64_t>(rows.text(row, 7)),
                         .predicate = rows.text(row, 8),
                         .reason = rows.text(row, 9),
                         .columns = {}});
    }
    indexes.back().columns.push_back({.name = rows.text(row, 10),
                                      .operator_name = rows.text(row, 11),
                                      .collation = rows.text(row, 12),
                                      .lexemes = rows.text(row, 13) == "t",
                                      .skip_nan = rows.text(row, 14) == "t",
                                      .reason = rows.text(row, 15)});
  }
  for (auto& index : indexes) {
    const auto& columns = index.columns;
    // A btree index is searched from its first column on.
    const auto needed = index.method == "btree" ? 1 : columns.size();
    const auto usable = std::any_of(columns.begin(), columns.begin() + static_cast<long>(needed),
                                    [](const auto& column) { return column.reason.empty(); });
    if (index.reason.empty() && !usable) index.reason = columns.front().reason;
  }
  return indexes;
}

}  // namespace pgrehearse
