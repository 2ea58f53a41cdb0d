#include "harness/postgres/relation_files.hpp"

#include <algorithm>
#include <cctype>

namespace pgrehearse {

namespace {

// One row per relation with storage: its file, and its name as in reports. Shared catalogs appear
// in every database.
constexpr auto relations_with_files = R"(
select pg_catalog.pg_relation_filepath(c.oid),
       case when c.relisshared then '' else d.name || '.' end
         || pg_catalog.format('%I.%I', n.nspname, c.relname)
         || case when t.oid is null then ''
            else ' (TOAST of ' || d.name || '.'
                 || pg_catalog.format('%I.%I', tn.nspname, t.relname) || ')' end
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
cross join (select pg_catalog.quote_ident(pg_catalog.current_database()) as name) d
left join pg_catalog.pg_index i on i.indexrelid = c.oid
left join pg_catalog.pg_class t on t.reltoastrelid <> 0
                               and t.reltoastrelid = coalesce(i.indrelid, c.oid)
left join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
where c.relkind in ('r', 'i', 't', 'm', 'S')
  and pg_catalog.pg_relation_filepath(c.oid) is not null)";

// "16384.1", "16384_fsm", "16384_vm.2" -> "16384"
std::string_view without_fork_and_segment(std::string_view path) {
  const auto name = path.rfind('/') + 1;
  const auto end = std::find_if_not(path.begin() + static_cast<std::ptrdiff_t>(name), path.end(),
                                    [](unsigned char letter) { return std::isdigit(letter) != 0; });
  return path.substr(0, static_cast<std::size_t>(end - path.begin()));
}

}  // namespace

std::optional<std::string> RelationFiles::relation_of(std::string_view file) const {
  const auto found = names_.find(without_fork_and_segment(file));
  if (found == names_.end()) return {};
  return found->second;
}

RelationFiles collect_relation_files(
    const std::vector<std::string>& databases,
    const std::function<Connection(const std::string& database)>& connect) {
  RelationFiles files;
  for (const auto& database : databases) {
    try {
      auto connection = connect(database);
      for (const auto& row : connection.query(relations_with_files).rows) {
        if (row[0] && row[1]) files.add(*row[0], *row[1]);
      }
    } catch (const SqlError&) {
      continue;
    }
  }
  return files;
}

}  // namespace pgrehearse
