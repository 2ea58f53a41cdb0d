// Would a server that is recovered from this backup run with the settings that production needs?
// The instance runs with the quarantine's configuration, so its own values are no evidence.
// Compared are the restored files: postgresql.conf with its includes if it was in the data
// directory, postgresql.auto.conf (kept aside as restored.auto.conf), settings of databases and
// roles from the catalog, and pg_control for the few settings that it records. A setting in none of
// them has PostgreSQL's default if postgresql.conf was restored completely; otherwise it is
// unknown, because Debian keeps that file elsewhere.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checks/checks.hpp"
#include "checks/parsers/server_configuration.hpp"
#include "checks/parsers/setting_value.hpp"
#include "checks/shared/database_walk.hpp"
#include "checks/shared/user_session.hpp"
#include "harness/common/counted.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

constexpr std::array keys{KeyDescription{
    .name = "expected",
    .kind = KeyKind::text_map,
    .summary = "expected values by name; DATABASE/name and ROLE@[DATABASE]/name for ALTER ... SET",
    .example = "{ max_connections: 500, work_mem: 64MB, shop/statement_timeout: 30s }",
    .required = true,
}};

// "app@shop/work_mem"
struct SettingName {
  std::string written;
  std::string role;
  std::string database;
  std::string name;
  [[nodiscard]] bool scoped() const { return written.find('/') != std::string::npos; }
};

SettingName parse_name(const std::string& written) {
  SettingName parsed{.written = written, .name = written};
  const auto slash = written.rfind('/');
  if (slash == std::string::npos) return parsed;
  parsed.name = written.substr(slash + 1);
  parsed.database = written.substr(0, slash);
  const auto at = parsed.database.find('@');
  if (at == std::string::npos) return parsed;
  parsed.role = parsed.database.substr(0, at);
  parsed.database.erase(0, at + 1);
  return parsed;
}

struct KnownSetting {
  SettingType type;
  std::string default_value;
};

// Every setting that this server knows, with the value built into it.
std::map<std::string, KnownSetting> known_settings(Connection& sql) {
  const auto rows =
      sql.query("select lower(name), vartype, unit, boot_val from pg_catalog.pg_settings");
  std::map<std::string, KnownSetting> known;
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    known[rows.text(row, 0)] = {.type = {.vartype = rows.text(row, 1), .unit = rows.text(row, 2)},
                                .default_value = rows.text(row, 3)};
  }
  return known;
}

// A row is the value that ALTER DATABASE or ALTER ROLE set; an empty scope means "all".
constexpr const char* scoped_sql = R"(
select pg_catalog.substr(entry, pg_catalog.length($3) + 2)
  from pg_catalog.pg_db_role_setting s
  left join pg_catalog.pg_database d on d.oid = s.setdatabase
  left join pg_catalog.pg_roles r on r.oid = s.setrole,
       pg_catalog.unnest(s.setconfig) as entry
 where coalesce(d.datname, '') = $1 and coalesce(r.rolname, '') = $2
   and pg_catalog.lower(pg_catalog.split_part(entry, '=', 1)) = pg_catalog.lower($3))";

std::optional<std::string> scoped_value(Connection& sql, const SettingName& name) {
  const std::array<Field, 3> parameters{name.database, name.role, name.name};
  const auto rows = sql.query(scoped_sql, parameters);
  if (rows.rows.empty()) return {};
  return rows.text(0, 0);
}

std::optional<int> recorded_in_control(const ControlData& control, const std::string& name) {
  if (name == "max_connections") return control.max_connections;
  if (name == "max_worker_processes") return control.max_worker_processes;
  if (name == "max_wal_senders") return control.max_wal_senders;
  if (name == "max_prepared_transactions") return control.max_prepared_transactions;
  if (name == "max_locks_per_transaction") return control.max_locks_per_transaction;
  return {};
}

struct Found {
  std::string value;
  std::string origin;
};

class SettingsCheck : public InstanceCheck {
 public:
  explicit SettingsCheck(const Settings& settings)
      : expected_(settings.get_or<std::map<std::string, std::string>>("expected", {})) {}

  CheckOutcome run(const LandedContext& context) override {
    auto sql = context.connect({});
    const auto known = known_settings(sql);
    const auto configuration = restored_configuration(context);
    report_files(configuration);
    for (const auto& [written, value] : expected_) {
      const auto name = parse_name(written);
      const auto setting = known.find(name.name);
      if (setting == known.end() && name.name.find('.') == std::string::npos) {
        not_a_setting(name, known);
        continue;
      }
      const auto described = setting == known.end() ? KnownSetting{} : setting->second;
      auto found = name.scoped() ? find_scoped(sql, name)
                                 : find_value(context, configuration, name, described);
      if (found) compare(name, value, *found, described.type);
    }
    return outcome(configuration);
  }

 private:
  void report_files(const ServerConfiguration& configuration) {
    const auto refused = [&](const std::string& where, const std::string& why) {
      fail({.code = FindingCode::setting_file,
            .object = where,
            .message = fmt::format("the restored configuration is invalid: {} {}", where, why),
            .hint = "a server would not start with this configuration: fix the file, or include it "
                    "in the backup"});
    };
    for (const auto& line : configuration.missing) refused(line, "is not in the backup");
    for (const auto& line : configuration.unreadable) refused(line, "is not a valid setting");
    for (const auto& line : configuration.outside) {
      doubt({.code = FindingCode::setting_not_in_backup,
             .object = line,
             .message = fmt::format("{} points outside the data directory: "
                                    "the included settings are not in the backup",
                                    line),
             .hint = "keep a copy of the configuration for recovery"});
    }
  }

  void not_a_setting(const SettingName& name, const std::map<std::string, KnownSetting>& known) {
    std::vector<std::string> names;
    names.reserve(known.size());
    for (const auto& [each, ignored] : known) names.push_back(each);
    const auto near = nearest(name.name, names);
    doubt({.code = FindingCode::setting_unrecognized,
           .object = name.written,
           .message = fmt::format("PostgreSQL has no setting {}", name.name),
           .hint = near ? fmt::format("did you mean '{}'?", *near) : ""});
  }

  std::optional<Found> find_scoped(Connection& sql, const SettingName& name) {
    if (auto value = scoped_value(sql, name)) {
      return Found{.value = std::move(*value), .origin = "the catalog (pg_db_role_setting)"};
    }
    fail({.code = FindingCode::setting_differs,
          .object = name.written,
          .message = fmt::format("{} is not set in the restored cluster, expected '{}'",
                                 name.written, expected_.at(name.written)),
          .hint = "set it again with ALTER DATABASE or ALTER ROLE"});
    return {};
  }

  std::optional<Found> find_value(const InstanceContext& context,
                                  const ServerConfiguration& configuration, const SettingName& name,
                                  const KnownSetting& setting) {
    if (const auto entry = configuration.values.find(name.name);
        entry != configuration.values.end()) {
      return Found{.value = entry->second.value, .origin = entry->second.origin};
    }
    if (const auto recorded = recorded_in_control(context.control, name.name)) {
      return Found{.value = std::to_string(*recorded), .origin = "pg_control"};
    }
    if (configuration.complete && !setting.type.vartype.empty()) {
      return Found{.value = setting.default_value, .origin = "the built-in defaults"};
    }
    doubt(
        {.code = FindingCode::setting_not_in_backup,
         .object = name.written,
         .message =
             fmt::format("{} is not in any configuration file of the backup: {}", name.written,
                         configuration.outside.empty()
                             ? "postgresql.conf is not in the backup"
                             : "part of the configuration is outside the data directory"),
         .hint =
             "keep a copy of the configuration for recovery, or set the value with ALTER SYSTEM"});
    return {};
  }

  void compare(const SettingName& name, const std::string& expected, const Found& found,
               const SettingType& type) {
    ++compared_;
    if (same_setting(expected, found.value, type)) return;
    fail({.code = FindingCode::setting_differs,
          .object = name.written,
          .message = fmt::format("{} is '{}' in {}, expected '{}'", name.written, found.value,
                                 found.origin, expected),
          .hint = "correct `expected` if the change is intended; otherwise correct the setting on "
                  "the primary",
          .details = {{"expected", expected}, {"actual", found.value}, {"origin", found.origin}}});
  }

  CheckOutcome outcome(const ServerConfiguration& configuration) {
    CheckOutcome outcome{.verdict = Verdict::pass, .findings = std::move(findings_)};
    if (compared_ == 0 || doubted_) outcome.verdict = Verdict::unknown;
    if (failed_) outcome.verdict = Verdict::fail;
    outcome.summary =
        fmt::format("{} of {} compared with the restored configuration{}", compared_,
                    counted(expected_.size(), "setting", "settings"),
                    configuration.complete ? "" : " (which lacks all or part of postgresql.conf)");
    return outcome;
  }

  void fail(Finding finding) {
    failed_ = true;
    findings_.push_back(std::move(finding));
  }
  void doubt(Finding finding) {
    doubted_ = true;
    findings_.push_back(std::move(finding));
  }

  std::map<std::string, std::string> expected_;
  std::vector<Finding> findings_;
  std::size_t compared_ = 0;
  bool failed_ = false;
  bool doubted_ = false;
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::setting_differs,
    FindingCode::setting_not_in_backup,
    FindingCode::setting_file,
    FindingCode::setting_unrecognized,
});

}  // namespace

CheckDescription settings_check() {
  return {.name = "settings",
          .summary = "the restored configuration has the values that production needs",
          .finds = finding_codes,
          .state = InstanceState::paused,
          .keys = keys,
          .validate = validate<SettingsCheck>,
          .create = create<SettingsCheck>};
}

}  // namespace pgrehearse
