#include "harness/drill/recovery/replay_locks.hpp"

namespace pgrehearse {

namespace {

constexpr const char* locks_sql = R"(
select string_agg(pg_catalog.format('%s relation%s in %s', held, case held when 1 then '' else 's' end, datname), ', ')
  from (select d.datname, count(distinct l.relation) as held
          from pg_catalog.pg_locks l
          join pg_catalog.pg_stat_activity a on a.pid = l.pid
          join pg_catalog.pg_database d on d.oid = l.database
         where a.backend_type = 'startup' and l.locktype = 'relation' and l.granted
           and l.mode = 'AccessExclusiveLock' and l.relation >= 16384
         group by 1 order by 1) as locks)";

}  // namespace

std::string relations_locked_by_replay(Connection& connection) {
  return connection.query(locks_sql).text(0, 0);
}

}  // namespace pgrehearse
