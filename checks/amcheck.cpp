// Are tables and indexes structurally intact, and does every index contain every row? Page
// checksums only show that a page is as it was written.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "checks/checks.hpp"
#include "checks/parsers/amcheck_output.hpp"
#include "checks/parsers/damage_messages.hpp"
#include "checks/shared/index_recheck.hpp"
#include "harness/common/counted.hpp"
#include "harness/postgres/session_settings.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t most_per_relation = 5;
constexpr std::size_t most_findings = 200;

constexpr std::array<KeyDescription, 7> keys{{
    {.name = "heapallindexed",
     .kind = KeyKind::boolean,
     .summary = "check that every row has an entry in each index",
     .example = "false",
     .default_value = "true"},
    {.name = "parent_check",
     .kind = KeyKind::boolean,
     .summary = "check the parent/child relationships in each index (promotes the instance)",
     .example = "true",
     .default_value = "false"},
    {.name = "rootdescend",
     .kind = KeyKind::boolean,
     .summary = "look up each index entry from the root (implies parent_check)",
     .example = "true",
     .default_value = "false"},
    {.name = "install",
     .kind = KeyKind::boolean,
     .summary = "create the extension if it is missing (promotes the instance)",
     .example = "false",
     .default_value = "true"},
    {.name = "jobs",
     .kind = KeyKind::integer,
     .summary = "number of parallel connections; 0: one per CPU of the sandbox",
     .example = "2",
     .default_value = "0"},
    {.name = "databases",
     .kind = KeyKind::text_list,
     .summary = "databases to check",
     .example = "[shop]"},
    {.name = "exclude",
     .kind = KeyKind::text_list,
     .summary = "databases to exclude",
     .example = "[scratch]"},
}};

struct AmcheckOptions {
  bool heapallindexed = true;
  bool parent_check = false;
  bool rootdescend = false;
  bool install = true;
  std::int64_t jobs = 0;
  std::vector<std::string> databases;
  std::vector<std::string> exclude;
};

AmcheckOptions options_from(const Settings& settings) {
  return {.heapallindexed = settings.get_or("heapallindexed", true),
          .parent_check = settings.get_or("parent_check", false),
          .rootdescend = settings.get_or("rootdescend", false),
          .install = settings.get_or("install", true),
          .jobs = settings.get_or("jobs", std::int64_t{0}),
          .databases = settings.get_or("databases", std::vector<std::string>{}),
          .exclude = settings.get_or("exclude", std::vector<std::string>{})};
}

InstanceState state_for(const AmcheckOptions& options) {
  const bool writes = options.install || options.parent_check || options.rootdescend;
  return writes ? InstanceState::read_write : InstanceState::paused;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Not the option --database: with it, pg_amcheck first connects to `postgres` or `template1`. A
// name alone could look like a connection string.
std::string connection_string(const std::string& database) {
  std::string text = "dbname='";
  for (const char letter : database) {
    if (letter == '\'' || letter == '\\') text += '\\';
    text += letter;
  }
  return text + "'";
}

class Amcheck {
 public:
  Amcheck(const AmcheckOptions& options, const InstanceContext& context)
      : options_(options), context_(context), sandbox_(context.sandbox) {}

  CheckOutcome run() {
    for (const auto& name : options_.databases) {
      if (!has(context_.databases, name)) {
        add_unknown(FindingCode::amcheck_error, name,
                    "the database does not exist in the restored cluster",
                    "correct amcheck.databases in the scenario");
      }
    }
    for (const auto& database : context_.databases) {
      const bool chosen = options_.databases.empty() || has(options_.databases, database);
      // One run per database: pg_amcheck stops at the first database it cannot open.
      if (chosen && !has(options_.exclude, database)) check(database);
    }
    return finish();
  }

 private:
  void check(const std::string& database) {
    auto output = run_tool(database);
    // An older version of the extension, left by pg_upgrade.
    if (lacks_function(output) && state_for(options_) == InstanceState::read_write) {
      context_.connect(database).query("alter extension amcheck update");
      output = run_tool(database);
    }
    ++databases_;
    relations_ += output.progress.relations;
    pages_ += output.progress.pages;
    evaluate(database, output.result);
  }

  struct ToolRun {
    CommandResult result;
    AmcheckProgress progress;
  };

  static bool lacks_function(const ToolRun& run) {
    const auto output = parse_amcheck(run.result.output, run.result.error_output);
    return std::any_of(
        output.complaints.begin(), output.complaints.end(),
        [](const auto& complaint) { return is_missing_function(complaint.message); });
  }

  static bool is_missing_function(const std::string& message) {
    return message.find("verify_heapam(") != std::string::npos && lacks_search_path(message);
  }

  ToolRun run_tool(const std::string& database) {
    ToolRun run;
    auto command = command_for(database);
    command.on_line = [&](std::string_view line) {
      const auto progress = parse_amcheck_progress(line);
      if (!progress) return;
      run.progress = *progress;
      if (context_.on_progress) {
        context_.on_progress(progress->pages_done, progress->pages,
                             fmt::format("pages of {}", database));
      }
    };
    run.result = sandbox_.run(command, context_.stop);
    throw_if_cancelled(run.result);
    return run;
  }

  // `parent_check` conflicts with the transactions of `index_probe`, which runs at the same time
  // and ends. Prepared transactions do not end. A copy in recovery is never checked this way.
  [[nodiscard]] std::string lock_option(const std::string& database) const {
    if (!options_.parent_check && !options_.rootdescend) return "";
    try {
      const auto prepared =
          context_.connect(database).query("select from pg_catalog.pg_prepared_xacts");
      return prepared.rows.empty() ? " -c lock_timeout=1h" : "";
    } catch (const SqlError&) {
      return "";  // pg_amcheck reports it
    }
  }

  [[nodiscard]] Command command_for(const std::string& database) const {
    const auto server = sandbox_.server();
    const auto value = [&](const std::string& key, const std::string& otherwise) {
      const auto found = server.find(key);
      return found == server.end() ? otherwise : found->second;
    };
    const auto jobs = options_.jobs == 0 ? std::max(sandbox_.cpus(), 1) : options_.jobs;
    Command command{
        .program = sandbox_.program("pg_amcheck"),
        .arguments = {"--host", sandbox_.paths().sockets.string(), "--port", value("port", "5432"),
                      "--username", value("user", sandbox_.spec().superuser), "--no-password",
                      "--progress", "--jobs", std::to_string(jobs), connection_string(database)},
        .environment = {{"PGOPTIONS", copy_session_options(context_.backup.postgres_major) +
                                          lock_option(database)}},
        .timeout = std::chrono::hours(24)};
    const auto add = [&](bool wanted, const char* option) {
      if (wanted) command.arguments.emplace_back(option);
    };
    add(options_.heapallindexed, "--heapallindexed");
    add(options_.parent_check, "--parent-check");
    add(options_.rootdescend, "--rootdescend");
    add(options_.install, "--install-missing");
    return command;
  }

  void evaluate(const std::string& database, const CommandResult& result) {
    const auto output = parse_amcheck(result.output, result.error_output);
    for (const auto& complaint : output.complaints) add(database, complaint);
    const bool skipped = !output.without_extension.empty();
    if (skipped) {
      add_unknown(FindingCode::amcheck_skipped, database,
                  "the extension amcheck is not installed in this database",
                  "set `install: true` (promotes the instance and creates the extension)");
    }
    for (const auto& error : output.errors) {
      // A consequence of the missing extension, already reported.
      if (skipped && error == "no relations to check") continue;
      add_error(database, error);
    }
    const bool explained = skipped || !output.errors.empty() || !output.complaints.empty();
    if (!result.succeeded() && !explained) {
      add_unknown(FindingCode::amcheck_error, database,
                  fmt::format("pg_amcheck {} {}",
                              result.signal != 0 ? "was terminated by signal" : "exited with code",
                              result.signal != 0 ? result.signal : result.exit_code),
                  {});
    }
    // Exit code 2 means corruption, even if no message was recognized.
    if (result.exit_code == 2 && output.complaints.empty()) {
      damaged_ = true;
      findings_.push_back(
          {.code = FindingCode::amcheck_database,
           .object = database,
           .message = fmt::format("pg_amcheck found damage in database {}", database),
           .hint = "see the output of pg_amcheck in logs/ in the run directory"});
    }
  }

  void add_error(const std::string& database, const std::string& error) {
    if (error.find("locale is incompatible with operating system") != std::string::npos) {
      return add_unknown(
          FindingCode::env_locale, database,
          fmt::format("database {} could not be checked: a locale is missing here", database),
          "install the locale where the sandbox runs; the backup is not the cause");
    }
    if (tells_of_damage(error)) {
      damaged_ = true;
      findings_.push_back(
          {.code = FindingCode::amcheck_database,
           .object = database,
           .message = fmt::format(
               "database {} cannot be checked because its catalog is damaged: {}", database, error),
           .hint = "restore an older backup; run `page_checksums` to list the damaged blocks"});
      return;
    }
    const bool missing = error.find("extension") != std::string::npos;
    add_unknown(FindingCode::amcheck_error, database,
                fmt::format("database {} could not be checked: {}", database, error),
                missing ? "install PostgreSQL's contrib modules on this host" : "");
  }

  void add_unknown(FindingCode code, const std::string& object, std::string message,
                   std::string_view hint) {
    unknown_ = true;
    findings_.push_back(
        {.code = code, .object = object, .message = std::move(message), .hint = std::string(hint)});
  }

  void add(const std::string& database, const AmcheckComplaint& complaint) {
    if (complaint.message.find("lock timeout") != std::string::npos) {
      return add_locked(database, complaint.relation);
    }
    if (is_missing_function(complaint.message)) {
      return add_unknown(
          FindingCode::amcheck_error, complaint.relation,
          fmt::format("{} could not be checked: {}", complaint.relation, complaint.message),
          "set `install: true`: the copy is then promoted and the extension updated");
    }
    if (lacks_search_path(complaint.message)) return check_again(database, complaint);
    if (complaint.environment) {
      return add_unknown(
          FindingCode::amcheck_error, complaint.relation,
          fmt::format("{} could not be checked: {}", complaint.relation, complaint.message),
          complaint.hint);
    }
    damaged_ = true;
    ++complaints_;
    if (++per_relation_[complaint.relation] > most_per_relation ||
        findings_.size() >= most_findings) {
      return;
    }
    findings_.push_back(finding(complaint));
  }

  void check_again(const std::string& database, const AmcheckComplaint& complaint) {
    auto finding =
        recheck_index(context_, database, complaint.relation,
                      {.parent_check = options_.parent_check, .rootdescend = options_.rootdescend});
    if (!finding) return;
    const auto severity = severity_of(*finding);
    damaged_ = damaged_ || severity == Severity::error;
    unknown_ = unknown_ || severity == Severity::unknown;
    complaints_ += severity == Severity::error ? 1 : 0;
    findings_.push_back(std::move(*finding));
  }

  void add_locked(const std::string& database, const std::string& relation) {
    const auto holder = lock_holder(context_, database, relation);
    add_unknown(FindingCode::relation_locked, relation,
                holder
                    ? fmt::format("{} was not checked: the prepared transaction '{}' of {} holds "
                                  "a lock on it",
                                  relation, holder->name, holder->owner)
                    : fmt::format("{} was not checked: it is locked", relation),
                "commit or roll back the prepared transaction on the primary");
    if (!holder || !prepared_.insert(holder->name).second) return;
    findings_.push_back(
        {.code = FindingCode::prepared_transaction,
         .object = holder->name,
         .message = fmt::format("transaction '{}' of {} has been prepared since {}, and neither "
                                "committed nor rolled back",
                                holder->name, holder->owner, holder->prepared),
         .hint = fmt::format("on the primary: ask its transaction manager, then COMMIT PREPARED or "
                             "ROLLBACK PREPARED '{}'",
                             holder->name)});
  }

  static Finding finding(const AmcheckComplaint& complaint) {
    const bool heap = complaint.kind == AmcheckRelationKind::heap;
    Finding result{
        .code = heap ? FindingCode::amcheck_heap : FindingCode::amcheck_index,
        .object = complaint.relation,
        .message = fmt::format("{} {}", heap ? "table" : "index", complaint.relation),
        .hint = heap ? "check the same table on the primary, and find the "
                       "newest backup in which it is intact"
                     : "compare the collation versions of the primary and this host; if they "
                       "match, REINDEX the index on the primary"};
    const auto place = [&](const char* name, const std::optional<std::uint64_t>& number) {
      if (!number) return;
      result.details[name] = std::to_string(*number);
      result.message += fmt::format(", {} {}", name, *number);
    };
    place("block", complaint.block);
    place("offset", complaint.offset);
    place("attribute", complaint.attribute);
    result.message += ": " + complaint.message;
    if (!complaint.hint.empty()) result.details["postgres_hint"] = complaint.hint;
    return result;
  }

  // Added to the first finding of a relation: the total number.
  void tell_what_is_left_out(Finding& finding) {
    const auto counted = per_relation_.find(finding.object);
    if (counted == per_relation_.end() || counted->second <= most_per_relation) return;
    finding.message += fmt::format(" (1 of {} problems)", counted->second);
    per_relation_.erase(counted);
  }

  CheckOutcome finish() {
    for (auto& finding : findings_) tell_what_is_left_out(finding);
    CheckOutcome outcome{.findings = std::move(findings_)};
    outcome.summary = fmt::format("{}, {}, {}, {}", counted(databases_, "database"),
                                  counted(relations_, "relation"), counted(pages_, "page"),
                                  counted(complaints_, "problem"));
    if (damaged_) {
      outcome.verdict = Verdict::fail;
    } else if (!unknown_ && relations_ > 0) {
      outcome.verdict = Verdict::pass;
    }
    return outcome;
  }

  const AmcheckOptions& options_;
  const InstanceContext& context_;
  Sandbox& sandbox_;
  std::vector<Finding> findings_;
  std::map<std::string, std::size_t> per_relation_;
  std::set<std::string> prepared_;
  std::uint64_t databases_ = 0;
  std::uint64_t relations_ = 0;
  std::uint64_t pages_ = 0;
  std::uint64_t complaints_ = 0;
  bool damaged_ = false;
  bool unknown_ = false;
};

class AmcheckCheck : public InstanceCheck {
 public:
  explicit AmcheckCheck(const Settings& settings) : options_(options_from(settings)) {}

  CheckOutcome run(const LandedContext& context) override {
    if (context.backup.postgres_major > 0 && context.backup.postgres_major < 14) {
      const auto reason = fmt::format("pg_amcheck requires PostgreSQL 14 or later (this is {})",
                                      context.backup.postgres_version);
      return {.verdict = Verdict::unknown,
              .findings = {{.code = FindingCode::check_not_run,
                            .object = "pg_amcheck",
                            .message = reason,
                            .hint = "check its indexes with a `query` check (`as: superuser`) that "
                                    "calls bt_index_check"}},
              .summary = reason};
    }
    return Amcheck(options_, context).run();
  }

 private:
  AmcheckOptions options_;
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::amcheck_heap,
    FindingCode::amcheck_index,
    FindingCode::amcheck_database,
    FindingCode::amcheck_skipped,
    FindingCode::amcheck_error,
    FindingCode::check_not_run,
    FindingCode::env_locale,
    FindingCode::prepared_transaction,
    FindingCode::relation_locked,
});

}  // namespace

CheckDescription amcheck_check() {
  return {
      .name = "amcheck",
      .summary = "tables and indexes are structurally intact, and every index contains every row",
      .finds = finding_codes,
      .state = InstanceState::read_write,
      .weight = 100,
      .keys = keys,
      .validate = validate<AmcheckCheck>,
      .create = create<AmcheckCheck>,
      .state_for = [](const Settings& settings) { return state_for(options_from(settings)); }};
}

}  // namespace pgrehearse
