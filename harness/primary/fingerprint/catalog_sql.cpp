// The catalog queries. to_jsonb(row) includes columns of newer major versions. Objects are found by
// joining catalog tables only: a cast to regclass or a pg_get_...def() would read the newest
// catalog instead of the snapshot's.
#include <array>

#include "harness/primary/fingerprint/catalog.hpp"

namespace pgrehearse {

namespace {

// Roles with their settings and memberships; passwords are never read.
constexpr std::array cluster_kinds{
    CatalogKind{.name = "role", .sql = R"(
select quote_ident(rolname), to_jsonb(r) - array['oid', 'rolname', 'rolpassword', 'rolconfig']
  from pg_roles r)"},
    CatalogKind{.name = "role membership", .sql = R"(
select format('%I in %I by %s', m.rolname, g.rolname, b.rolname),
       to_jsonb(a) - array['oid', 'roleid', 'member', 'grantor']
  from pg_auth_members a
  join pg_roles g on g.oid = a.roleid
  join pg_roles m on m.oid = a.member
  left join pg_roles b on b.oid = a.grantor)"},
    CatalogKind{.name = "setting", .sql = R"(
select format('%s in %s', coalesce(quote_ident(r.rolname), 'any role'),
              coalesce(quote_ident(d.datname), 'any database')),
       jsonb_build_object('settings', to_jsonb(s.setconfig))
  from pg_db_role_setting s
  left join pg_database d on d.oid = s.setdatabase
  left join pg_roles r on r.oid = s.setrole)"},
    CatalogKind{.name = "database", .sql = R"(
select quote_ident(d.datname),
       to_jsonb(d) - array['oid', 'datname', 'datdba', 'datfrozenxid', 'datminmxid', 'datacl',
                           'datlastsysoid', 'dathasloginevt']
         || jsonb_build_object('owner', r.rolname)
  from pg_database d left join pg_roles r on r.oid = d.datdba)"},
    CatalogKind{.name = "database grant", .sql = R"(
select format('%I to %s', d.datname, coalesce(quote_ident(g.rolname), 'public')),
       jsonb_build_object('privileges', jsonb_agg(a.privilege_type
         || case when a.is_grantable then '*' else '' end order by a.privilege_type, a.grantor))
  from pg_database d, aclexplode(d.datacl) a left join pg_roles g on g.oid = a.grantee
 group by d.datname, g.rolname)"},
    CatalogKind{.name = "tablespace", .sql = R"(
select quote_ident(t.spcname), jsonb_build_object('owner', r.rolname, 'options', t.spcoptions,
                                                  'grants', t.spcacl::text)
  from pg_tablespace t left join pg_roles r on r.oid = t.spcowner)"},
    CatalogKind{.name = "subscription", .sql = R"(
select quote_ident(d.datname) || '.' || quote_ident(s.subname),
       jsonb_build_object('owner', r.rolname, 'enabled', s.subenabled, 'slot', s.subslotname,
                          'publications', s.subpublications)
  from pg_subscription s
  join pg_database d on d.oid = s.subdbid
  left join pg_roles r on r.oid = s.subowner)"},
};

constexpr std::array database_kinds{
    CatalogKind{.name = "schema", .sql = R"(
select quote_ident(n.nspname), jsonb_build_object('owner', r.rolname)
  from pg_namespace n left join pg_roles r on r.oid = n.nspowner
 where n.nspname !~ '^pg_(toast|temp_|toast_temp_)')"},
    CatalogKind{.name = "extension", .sql = R"(
select quote_ident(e.extname), jsonb_build_object('version', e.extversion, 'owner', r.rolname,
         'schema', n.nspname, 'condition', e.extcondition)
  from pg_extension e
  left join pg_namespace n on n.oid = e.extnamespace
  left join pg_roles r on r.oid = e.extowner)"},
    CatalogKind{.name = "type", .sql = R"(
select format('%I.%I', n.nspname, t.typname),
       jsonb_strip_nulls(jsonb_build_object('kind', t.typtype, 'owner', r.rolname,
         'base', b.typname, 'modifier', nullif(t.typtypmod, -1), 'not_null', t.typnotnull,
         'default', t.typdefault, 'input', t.typinput::oid, 'output', t.typoutput::oid,
         'labels', (select jsonb_agg(e.enumlabel order by e.enumsortorder)
                      from pg_enum e where e.enumtypid = t.oid),
         'range', (select md5(g::text) from pg_range g where g.rngtypid = t.oid)))
  from pg_type t
  join pg_namespace n on n.oid = t.typnamespace
  left join pg_type b on b.oid = t.typbasetype
  left join pg_roles r on r.oid = t.typowner
 where t.oid >= 16384 and t.typtype <> 'c' and t.typcategory <> 'A'
   and n.nspname !~ '^pg_(toast|temp_)')"},
    CatalogKind{.name = "table", .sql = R"(
with columns as (
  select a.attrelid, jsonb_object_agg(a.attname, concat_ws(' ', a.attnum,
           y.typname || case when a.atttypmod < 0 then ''
                             when y.typname in ('varchar', 'bpchar')
                               then format('(%s)', a.atttypmod - 4)
                             when y.typname = 'numeric'
                               then format('(%s,%s)', (a.atttypmod - 4) >> 16,
                                           (a.atttypmod - 4) & 2047)
                             else format('(%s)', a.atttypmod) end,
           case when a.attnotnull then 'not null' end,
           nullif('identity ' || a.attidentity::text, 'identity '),
           nullif('generated ' || a.attgenerated::text, 'generated '),
           'default ' || md5(d.adbin::text),
           case when a.attcollation <> y.typcollation then 'collation ' || a.attcollation end,
           case when a.attstorage <> y.typstorage then 'storage ' || a.attstorage::text end,
           nullif('compression ' || coalesce(to_jsonb(a) ->> 'attcompression', ''), 'compression '),
           'statistics ' || nullif(a.attstattarget, -1),
           (select 'options ' || string_agg(o, ' ') from unnest(a.attoptions) o
             where o not like 'pg\_attver=%'))) as columns
    from pg_attribute a
    join pg_type y on y.oid = a.atttypid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where a.attnum > 0 and not a.attisdropped and (a.attrelid >= 16384)
   group by a.attrelid),
parents as (
  select i.inhrelid, jsonb_agg(format('%I.%I', pn.nspname, p.relname) order by i.inhseqno) as names
    from pg_inherits i
    join pg_class p on p.oid = i.inhparent
    join pg_namespace pn on pn.oid = p.relnamespace
   group by i.inhrelid)
select format('%I.%I', n.nspname, c.relname),
       jsonb_strip_nulls(jsonb_build_object('kind', case c.relkind
           when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view'
           when 'm' then 'materialized view' when 'f' then 'foreign table'
           when 'c' then 'composite type' when 'S' then 'sequence' end,
         'owner', r.rolname, 'persistence', c.relpersistence, 'columns', k.columns,
         'parents', i.names, 'bound', md5(c.relpartbound::text), 'options', c.reloptions,
         'tablespace', nullif(c.reltablespace, 0), 'method', m.amname,
         'replica_identity', c.relreplident, 'row_security', c.relrowsecurity,
         'forced_row_security', c.relforcerowsecurity, 'populated', c.relispopulated,
         'sequence', (select concat_ws(' ', 'start', q.seqstart, 'increment', q.seqincrement,
                                       'from', q.seqmin, 'to', q.seqmax, 'cache', q.seqcache,
                                       case when q.seqcycle then 'cycle' end)
                        from pg_sequence q where q.seqrelid = c.oid)))
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  left join columns k on k.attrelid = c.oid
  left join parents i on i.inhrelid = c.oid
  left join pg_am m on m.oid = c.relam
  left join pg_roles r on r.oid = c.relowner
 where c.relkind in ('r', 'p', 'v', 'm', 'f', 'c', 'S') and c.relpersistence <> 't'
   and c.oid >= 16384 and n.nspname !~ '^pg_toast')"},
    CatalogKind{.name = "constraint", .sql = R"(
select format('%s.%I', coalesce(quote_ident(tn.nspname) || '.' || quote_ident(t.relname),
                                quote_ident(yn.nspname) || '.' || quote_ident(y.typname)),
              c.conname),
       jsonb_strip_nulls(jsonb_build_object('type', c.contype, 'deferrable', c.condeferrable,
         'deferred', c.condeferred, 'validated', c.convalidated, 'columns', c.conkey,
         'references', fn.nspname || '.' || f.relname, 'referenced_columns', c.confkey,
         'on_update', c.confupdtype, 'on_delete', c.confdeltype, 'match', c.confmatchtype,
         'inherited', c.coninhcount, 'expression', md5(c.conbin::text)))
  from pg_constraint c
  left join pg_class t on t.oid = c.conrelid
  left join pg_namespace tn on tn.oid = t.relnamespace
  left join pg_type y on y.oid = c.contypid
  left join pg_namespace yn on yn.oid = y.typnamespace
  left join pg_class f on f.oid = nullif(c.confrelid, 0)
  left join pg_namespace fn on fn.oid = f.relnamespace
 where c.oid >= 16384 and coalesce(t.relpersistence, 'p') <> 't')"},
    CatalogKind{.name = "index", .sql = R"(
select format('%I.%I', n.nspname, c.relname),
       jsonb_strip_nulls(jsonb_build_object('table', t.relname, 'method', m.amname,
         'unique', i.indisunique, 'primary', i.indisprimary, 'exclusion', i.indisexclusion,
         'valid', i.indisvalid, 'ready', i.indisready, 'clustered', i.indisclustered,
         'replica_identity', i.indisreplident, 'columns', i.indkey::text,
         'classes', i.indclass::text, 'collations', i.indcollation::text,
         'options', i.indoption::text, 'nulls_not_distinct', to_jsonb(i) -> 'indnullsnotdistinct',
         'expressions', md5(i.indexprs::text), 'predicate', md5(i.indpred::text),
         'storage', c.reloptions, 'tablespace', nullif(c.reltablespace, 0)))
  from pg_index i
  join pg_class c on c.oid = i.indexrelid
  join pg_class t on t.oid = i.indrelid
  join pg_namespace n on n.oid = c.relnamespace
  join pg_am m on m.oid = c.relam
 where c.oid >= 16384 and c.relpersistence <> 't' and n.nspname !~ '^pg_toast')"},
    CatalogKind{.name = "rule", .sql = R"(
select format('%I.%I.%I', n.nspname, c.relname, w.rulename),
       jsonb_build_object('event', w.ev_type, 'enabled', w.ev_enabled, 'instead', w.is_instead,
         'condition', md5(w.ev_qual::text), 'action', md5(w.ev_action::text))
  from pg_rewrite w
  join pg_class c on c.oid = w.ev_class
  join pg_namespace n on n.oid = c.relnamespace
 where w.oid >= 16384 and c.relpersistence <> 't')"},
    CatalogKind{.name = "function", .sql = R"(
select format('%I.%I(%s)', n.nspname, p.proname,
              (select string_agg(t.typname, ', ' order by a.at)
                 from unnest(p.proargtypes::oid[]) with ordinality a (type, at)
                 join pg_type t on t.oid = a.type)),
       jsonb_strip_nulls(jsonb_build_object('kind', p.prokind, 'owner', r.rolname,
         'language', l.lanname, 'body', md5(p.prosrc), 'library', p.probin,
         'sql_body', md5(to_jsonb(p) ->> 'prosqlbody'),
         'aggregate', (select md5(g::text) from pg_aggregate g where g.aggfnoid = p.oid),
         'returns', case when p.proretset then 'setof ' else '' end || rt.typname,
         'argument_names', p.proargnames, 'argument_modes', p.proargmodes::text,
         'all_arguments', p.proallargtypes, 'defaults', md5(p.proargdefaults::text),
         'security_definer', p.prosecdef, 'leakproof', p.proleakproof, 'strict', p.proisstrict,
         'volatility', p.provolatile, 'parallel', p.proparallel, 'cost', p.procost,
         'rows', p.prorows, 'settings', p.proconfig))
  from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
  join pg_language l on l.oid = p.prolang
  join pg_type rt on rt.oid = p.prorettype
  left join pg_roles r on r.oid = p.proowner
 where p.oid >= 16384 and n.nspname !~ '^pg_temp_')"},
    CatalogKind{.name = "trigger", .sql = R"(
select format('%I.%I.%I', n.nspname, c.relname, t.tgname),
       jsonb_strip_nulls(jsonb_build_object('function', p.proname, 'type', t.tgtype,
         'enabled', t.tgenabled, 'deferrable', t.tgdeferrable, 'deferred', t.tginitdeferred,
         'columns', t.tgattr::text, 'arguments', md5(t.tgargs::text),
         'condition', md5(t.tgqual::text), 'old_table', t.tgoldtable, 'new_table', t.tgnewtable))
  from pg_trigger t
  join pg_class c on c.oid = t.tgrelid
  join pg_namespace n on n.oid = c.relnamespace
  join pg_proc p on p.oid = t.tgfoid
 where c.relpersistence <> 't')"},
    CatalogKind{.name = "event trigger", .sql = R"(
select quote_ident(e.evtname), jsonb_build_object('event', e.evtevent, 'enabled', e.evtenabled,
         'tags', e.evttags, 'function', p.proname)
  from pg_event_trigger e join pg_proc p on p.oid = e.evtfoid)"},
    CatalogKind{.name = "policy", .sql = R"(
select format('%I.%I.%I', n.nspname, c.relname, p.polname),
       jsonb_strip_nulls(jsonb_build_object('command', p.polcmd, 'permissive', p.polpermissive,
         'roles', (select jsonb_agg(coalesce(r.rolname, 'public') order by r.rolname)
                     from unnest(p.polroles) o (oid) left join pg_roles r on r.oid = o.oid),
         'using', md5(p.polqual::text), 'check', md5(p.polwithcheck::text)))
  from pg_policy p
  join pg_class c on c.oid = p.polrelid
  join pg_namespace n on n.oid = c.relnamespace)"},
    CatalogKind{.name = "grant", .sql = R"(
with granted (object, acl) as (
  select format('table %I.%I', n.nspname, c.relname), c.relacl
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relacl is not null and c.relpersistence <> 't'
  union all
  select format('column %I.%I.%I', n.nspname, c.relname, a.attname), a.attacl
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    join pg_namespace n on n.oid = c.relnamespace
   where a.attacl is not null and c.relpersistence <> 't'
  union all
  select format('function %I.%I(%s)', n.nspname, p.proname,
                (select string_agg(t.typname, ', ' order by a.at)
                   from unnest(p.proargtypes::oid[]) with ordinality a (type, at)
                   join pg_type t on t.oid = a.type)), p.proacl
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.proacl is not null
  union all
  select format('schema %I', nspname), nspacl from pg_namespace
   where nspacl is not null and nspname !~ '^pg_temp_'
  union all
  select format('type %I.%I', n.nspname, t.typname), t.typacl
    from pg_type t join pg_namespace n on n.oid = t.typnamespace where t.typacl is not null
  union all
  select format('language %I', lanname), lanacl from pg_language where lanacl is not null
  union all
  select format('wrapper %I', fdwname), fdwacl from pg_foreign_data_wrapper where fdwacl is not null
  union all
  select format('server %I', srvname), srvacl from pg_foreign_server where srvacl is not null)
select format('%s to %s', object, coalesce(quote_ident(r.rolname), 'public')),
       jsonb_build_object('privileges', jsonb_agg(a.privilege_type
         || case when a.is_grantable then '*' else '' end order by a.privilege_type, a.grantor))
  from granted, aclexplode(acl) a left join pg_roles r on r.oid = a.grantee
 group by object, r.rolname)"},
    CatalogKind{.name = "default privileges", .sql = R"(
select format('%s of %I in %s to %s', d.defaclobjtype, o.rolname,
              coalesce(quote_ident(n.nspname), 'any schema'),
              coalesce(quote_ident(r.rolname), 'public')),
       jsonb_build_object('privileges', jsonb_agg(a.privilege_type
         || case when a.is_grantable then '*' else '' end order by a.privilege_type, a.grantor))
  from pg_default_acl d
  join pg_roles o on o.oid = d.defaclrole
  left join pg_namespace n on n.oid = d.defaclnamespace
 cross join aclexplode(d.defaclacl) a
  left join pg_roles r on r.oid = a.grantee
 group by d.defaclobjtype, o.rolname, n.nspname, r.rolname)"},
    CatalogKind{.name = "publication", .sql = R"(
select quote_ident(p.pubname), to_jsonb(p) - array['oid', 'pubname', 'pubowner']
         || jsonb_build_object('tables',
              (select jsonb_agg(c.relname order by c.relname collate "C")
                 from pg_publication_rel x join pg_class c on c.oid = x.prrelid
                where x.prpubid = p.oid))
  from pg_publication p)"},
    CatalogKind{.name = "foreign server", .sql = R"(
select quote_ident(s.srvname), jsonb_strip_nulls(jsonb_build_object('wrapper', w.fdwname,
         'owner', r.rolname, 'type', s.srvtype, 'version', s.srvversion,
         'options', md5(s.srvoptions::text)))
  from pg_foreign_server s
  join pg_foreign_data_wrapper w on w.oid = s.srvfdw
  left join pg_roles r on r.oid = s.srvowner)"},
    CatalogKind{.name = "statistics object", .sql = R"(
select format('%I.%I', n.nspname, s.stxname),
       jsonb_strip_nulls(to_jsonb(s) - array['oid', 'stxname', 'stxnamespace', 'stxowner', 'stxexprs']
         || jsonb_build_object('expressions', md5(to_jsonb(s) ->> 'stxexprs')))
  from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace)"},
    CatalogKind{.name = "comment", .sql = R"(
select format('%s %s%s', coalesce(quote_ident(n.nspname) || '.' || quote_ident(c.relname),
                                  format('%s %s', k.relname, d.objoid)), k.relname,
              case when d.objsubid > 0 then ' column ' || d.objsubid else '' end),
       jsonb_build_object('text', md5(d.description))
  from pg_description d
  join pg_class k on k.oid = d.classoid
  left join pg_class c on c.oid = d.objoid and k.relname = 'pg_class'
  left join pg_namespace n on n.oid = c.relnamespace
 where d.objoid >= 16384)"},
    CatalogKind{.name = "other", .sql = R"(
  select format('cast %s to %s', s.typname, t.typname || ' ' || c.oid) as identity,
         to_jsonb(c) as definition
    from pg_cast c join pg_type s on s.oid = c.castsource join pg_type t on t.oid = c.casttarget
   where c.oid >= 16384
  union all
  select format('operator %I.%s %s', n.nspname, o.oprname, o.oid), jsonb_build_object('is', md5(o::text))
    from pg_operator o join pg_namespace n on n.oid = o.oprnamespace where o.oid >= 16384
  union all
  select format('operator class %I.%I %s', n.nspname, o.opcname, o.oid),
         jsonb_build_object('is', md5(o::text))
    from pg_opclass o join pg_namespace n on n.oid = o.opcnamespace where o.oid >= 16384
  union all
  select format('collation %I.%I %s', n.nspname, c.collname, c.oid), to_jsonb(c)
    from pg_collation c join pg_namespace n on n.oid = c.collnamespace where c.oid >= 16384
  union all
  select format('text search configuration %I.%I', n.nspname, c.cfgname),
         jsonb_build_object('is', md5(c::text), 'map', (select md5(string_agg(m::text, ' '
           order by m.maptokentype, m.mapseqno)) from pg_ts_config_map m where m.mapcfg = c.oid))
    from pg_ts_config c join pg_namespace n on n.oid = c.cfgnamespace where c.oid >= 16384
  union all
  select format('text search dictionary %I.%I', n.nspname, d.dictname),
         jsonb_build_object('is', md5(d::text))
    from pg_ts_dict d join pg_namespace n on n.oid = d.dictnamespace where d.oid >= 16384
  union all
  select format('language %I', l.lanname), to_jsonb(l) - 'lanacl'
    from pg_language l where l.oid >= 16384
  union all
  select format('security label %s %s %s', s.classoid, s.objoid, s.objsubid)
           || ' ' || s.provider, jsonb_build_object('label', s.label)
    from pg_seclabel s)"},
    // What initdb created: a damaged byte in it is in no other list. Columns that are not logged,
    // or that a rewrite changes, are left out.
    CatalogKind{.name = built_in_objects, .sql = R"(
with built_in (catalog, hash) as (
  select 'pg_proc', md5(x::text) from pg_proc x where oid < 16384
  union all select 'pg_rewrite', md5(x::text) from pg_rewrite x where oid < 16384
  union all select 'pg_type', md5(x::text) from pg_type x where oid < 16384
  union all select 'pg_operator', md5(x::text) from pg_operator x where oid < 16384
  union all select 'pg_cast', md5(x::text) from pg_cast x where oid < 16384
  union all select 'pg_opclass', md5(x::text) from pg_opclass x where oid < 16384
  union all select 'pg_opfamily', md5(x::text) from pg_opfamily x where oid < 16384
  union all select 'pg_amop', md5(x::text) from pg_amop x where oid < 16384
  union all select 'pg_amproc', md5(x::text) from pg_amproc x where oid < 16384
  union all select 'pg_am', md5(x::text) from pg_am x where oid < 16384
  union all select 'pg_constraint', md5(x::text) from pg_constraint x where oid < 16384
  union all select 'pg_language', md5(x::text) from pg_language x where oid < 16384
  union all select 'pg_conversion', md5(x::text) from pg_conversion x where oid < 16384
  union all select 'pg_collation', md5(x::text) from pg_collation x where oid < 16384
  union all select 'pg_ts_parser', md5(x::text) from pg_ts_parser x where oid < 16384
  union all select 'pg_ts_template', md5(x::text) from pg_ts_template x where oid < 16384
  union all select 'pg_ts_dict', md5(x::text) from pg_ts_dict x where oid < 16384
  union all select 'pg_ts_config', md5(x::text) from pg_ts_config x where oid < 16384
  union all select 'pg_attribute', md5(x::text) from pg_attribute x where attrelid < 16384
  union all select 'pg_index', md5(x::text) from pg_index x where indexrelid < 16384
  union all select 'pg_aggregate', md5(x::text) from pg_aggregate x where aggfnoid < 16384
  union all select 'pg_range', md5(x::text) from pg_range x where rngtypid < 16384
  union all select 'pg_ts_config_map', md5(x::text) from pg_ts_config_map x where mapcfg < 16384
  union all select 'pg_description', md5(x::text) from pg_description x where objoid < 16384
  union all select 'pg_class', md5(concat_ws(' ', oid, relname, relkind, reltype, relnatts, relowner, relam))
    from pg_class where oid < 16384)
select catalog, jsonb_build_object('rows', count(*), 'hash',
                                   md5(string_agg(hash, '' order by hash collate "C")))
  from built_in
 group by catalog)"},
};

}  // namespace

std::span<const CatalogKind> cluster_catalog() { return cluster_kinds; }
std::span<const CatalogKind> database_catalog() { return database_kinds; }

}  // namespace pgrehearse
