// Is the software installed that the databases need? An extension's catalog entries are restored
// with the backup, its library and scripts do not.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checks/checks.hpp"
#include "checks/shared/database_walk.hpp"
#include "harness/common/counted.hpp"

namespace pgrehearse {

namespace {

// A row is an installed extension: whether this host has its control file, and whether its version
// can be installed here or updated from here.
constexpr const char* extensions_sql = R"(
select e.extname, e.extversion, a.default_version,
       exists (select from pg_catalog.pg_available_extension_versions v
                where v.name = e.extname and v.version = e.extversion)
       or (a.name is not null
           and exists (select from pg_catalog.pg_extension_update_paths(e.extname) p
                        where p.source = e.extversion and p.path is not null))
  from pg_catalog.pg_extension e
  left join pg_catalog.pg_available_extensions a on a.name = e.extname
 order by 1)";

// A row is a shared library that functions of this database live in, and who owns them.
constexpr const char* libraries_sql = R"(
select p.probin,
       string_agg(distinct coalesce('extension ' || e.extname, 'schema ' || n.nspname), ', '),
       count(*)
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  join pg_catalog.pg_language l on l.oid = p.prolang and l.lanname = 'c'
  left join pg_catalog.pg_depend d
    on d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
   and d.refclassid = 'pg_catalog.pg_extension'::regclass
  left join pg_catalog.pg_extension e on e.oid = d.refobjid
 where p.probin is not null
 group by p.probin
 order by p.probin)";

constexpr std::string_view undefined_file = "58P01";

std::string quote_literal(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted += c;
    quoted += c;
  }
  return quoted + "'";
}

// A library that insists on shared_preload_libraries was found and loaded: its own code refused,
// because the quarantine starts the copy without it. A name in quotes may contain the word, too.
bool wants_preloading(const std::string& message) {
  std::string unquoted;
  bool quoted = false;
  for (const char letter : message) {
    if (letter == '"') quoted = !quoted;
    if (!quoted) unquoted += letter;
  }
  return unquoted.find("preload") != std::string::npos;
}

Finding version_finding(const std::string& database, const Rows& rows, std::size_t row) {
  const auto& name = rows.text(row, 0);
  const auto& version = rows.text(row, 1);
  const bool known = rows.rows[row][2].has_value();
  const auto& available = rows.text(row, 2);
  return {.code = FindingCode::extension_version,
          .object = fmt::format("{}.{}", database, name),
          .message =
              known
                  ? fmt::format(
                        "extension {} has version {} in database {}, but this host has version {}",
                        name, version, database, available)
                  : fmt::format("extension {} {} is installed in database {}, but this host has "
                                "no control file for it",
                                name, version, database),
          .hint = "install that version of the extension's package on the recovery host",
          .details = {{"installed", version}, {"available", known ? available : "none"}}};
}

class Extensions : public InstanceCheck {
 public:
  CheckOutcome run(const LandedContext& context) override {
    std::vector<Finding> findings;
    std::uint64_t extensions = 0;
    const auto walk = walk_databases(context, [&](const std::string& database, Connection& sql) {
      const auto rows = sql.query(extensions_sql);
      extensions += rows.rows.size();
      for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        if (rows.text(row, 3) != "t") findings.push_back(version_finding(database, rows, row));
      }
      load_libraries(context, database, sql.query(libraries_sql), findings);
    });
    return outcome_of(std::move(findings), walk,
                      fmt::format("{} and {} in {}", counted(extensions, "extension", "extensions"),
                                  counted(attempts_.size(), "library", "libraries"),
                                  counted(walk.looked_at, "database", "databases")));
  }

 private:
  struct LoadFailure {
    std::string message;
    std::string sqlstate;
  };

  // Each library gets a session of its own: what it hooks into must not disturb the next one. The
  // same file serves all databases, so one attempt is enough.
  const std::optional<LoadFailure>& load(const InstanceContext& context,
                                         const std::string& database, const std::string& library) {
    const auto [attempt, is_new] = attempts_.try_emplace(library);
    if (!is_new) return attempt->second;
    auto sql = context.connect(database);
    try {
      sql.query("load " + quote_literal(library));
    } catch (const SqlError& error) {
      if (error.sqlstate() == undefined_file || !wants_preloading(error.what())) {
        attempt->second = {.message = error.what(), .sqlstate = error.sqlstate()};
      }
    }
    return attempt->second;
  }

  void load_libraries(const InstanceContext& context, const std::string& database, const Rows& rows,
                      std::vector<Finding>& findings) {
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
      const auto& library = rows.text(row, 0);
      const auto& failure = load(context, database, library);
      if (!failure) continue;
      findings.push_back(
          {.code = FindingCode::extension_library,
           .object = fmt::format("{}.{}", database, library),
           .message = fmt::format("library {} of {} in database {} cannot be loaded: {}", library,
                                  rows.text(row, 1), database, failure->message),
           .hint = "on the recovery host, install the package that provides the library",
           .details = {{"functions", rows.text(row, 2)}, {"sqlstate", failure->sqlstate}}});
    }
  }

  std::map<std::string, std::optional<LoadFailure>> attempts_;
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::extension_library,
    FindingCode::extension_version,
    FindingCode::database_unreadable,
    FindingCode::env_locale,
});

}  // namespace

CheckDescription extensions_check() {
  return {.name = "extensions",
          .summary =
              "each installed extension's library can be loaded and its version is available on "
              "this host",
          .finds = finding_codes,
          .state = InstanceState::paused,
          .create = create<Extensions>};
}

}  // namespace pgrehearse
