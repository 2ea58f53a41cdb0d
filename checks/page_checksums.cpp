// Does every page of the stopped cluster match its checksum? The only check that reads every block
// of every file, indexes and free space maps included.
#include <fmt/format.h>

#include <array>

#include "checks/checks.hpp"
#include "checks/parsers/checksums_output.hpp"
#include "checks/parsers/damage_messages.hpp"
#include "checks/parsers/stray_file.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t most_findings = 200;
constexpr std::uint64_t page_size = 8192;

class PageChecksumsCheck : public StoppedCheck {
 public:
  CheckOutcome run(const StoppedContext& context) override {
    if (!context.control.data_checksums) return without_checksums();
    auto strays = set_strays_aside(context);
    const auto result = scan(context);
    throw_if_cancelled(result);
    const auto output = parse_checksums(result.output, result.error_output);
    if (output.disabled) return without_checksums();
    auto outcome = evaluate(context, result, output);
    outcome.findings.insert(outcome.findings.end(), strays.begin(), strays.end());
    return outcome;
  }

 private:
  // Empty in an image without `find`: pg_checksums then reports strays itself.
  static std::string list_named_files(Sandbox& sandbox, const std::filesystem::path& data,
                                      const std::stop_token& stop) {
    try {
      const auto listed = sandbox.run(
          {.program = "find",
           .arguments = {(data / "base").string(), (data / "global").string(),
                         sandbox.paths().tablespaces.string(), "-type", "f", "-name", "*[!0-9]*"}},
          stop);
      throw_if_cancelled(listed);
      return listed.output;
    } catch (const Error& error) {
      if (error.code() != FindingCode::env_binary) throw;
      return {};
    }
  }

  // pg_checksums would take them for data files and stop there. The copy is thrown away.
  static std::vector<Finding> set_strays_aside(const StoppedContext& context) {
    auto& sandbox = context.sandbox;
    const auto& data = sandbox.paths().data;
    std::vector<Finding> findings;
    // Without following links, which could lead out of the copy. Most data files have a name of
    // digits only.
    const auto listed = list_named_files(sandbox, data, context.stop);
    const auto aside = sandbox.paths().temporary / "stray";
    for (const auto line : lines_of(listed)) {
      const std::filesystem::path file(line);
      if (!is_stray_file(file.filename().native())) continue;
      const auto target = aside / std::to_string(findings.size());
      sandbox.run({.program = "mkdir", .arguments = {"-p", aside.string()}}, context.stop);
      const auto moved =
          sandbox.run({.program = "mv", .arguments = {"-f", "--", file.string(), target.string()}},
                      context.stop);
      if (!moved.succeeded()) continue;
      const auto name = below_data(context, file.string());
      findings.push_back(
          {.code = FindingCode::checksums_stray,
           .object = name,
           .message = fmt::format("{} is not a file of PostgreSQL; it was not checked", name),
           .hint = "remove it on the primary after finding out who created it"});
      if (findings.size() == most_findings) break;
    }
    return findings;
  }

  static CommandResult scan(const StoppedContext& context) {
    auto& sandbox = context.sandbox;
    const auto* const program =
        context.backup.postgres_major >= 12 ? "pg_checksums" : "pg_verify_checksums";
    Command command{.program = sandbox.program(program),
                    .arguments = {"--pgdata", sandbox.paths().data.string()},
                    .timeout = std::chrono::hours(24)};
    if (context.backup.postgres_major >= 12) {
      command.arguments.insert(command.arguments.end(), {"--check", "--progress"});
    }
    command.on_line = [&](std::string_view line) {
      const auto progress = parse_checksums_progress(line);
      if (progress && context.on_progress)
        context.on_progress(progress->done, progress->total, "MB");
    };
    return sandbox.run(command, context.stop);
  }

  static CheckOutcome unknown(std::string message) {
    return {.verdict = Verdict::unknown,
            .findings = {{.code = FindingCode::checksums_error,
                          .object = "pg_checksums",
                          .message = std::move(message)}}};
  }

  static CheckOutcome without_checksums() {
    return {
        .verdict = Verdict::unknown,
        .findings = {{.code = FindingCode::checksums_off,
                      .object = "data_checksums",
                      .message = "the cluster has no page checksums: its pages cannot be verified",
                      .hint = "enable them with pg_checksums on the stopped primary or a "
                              "standby; until then rely on `amcheck`"}},
        .summary = "no page checksums"};
  }

  static CheckOutcome evaluate(const StoppedContext& context, const CommandResult& result,
                               const ChecksumsOutput& output) {
    CheckOutcome outcome{.verdict = Verdict::pass};
    for (const auto& bad : output.bad_blocks) {
      if (outcome.findings.size() == most_findings) break;
      outcome.findings.push_back(bad_block(context, bad));
    }
    const auto bad = output.bad.value_or(output.bad_blocks.size());
    if (bad > outcome.findings.size() && !outcome.findings.empty()) {
      outcome.findings.back().message +=
          fmt::format(" (and {} more blocks)", bad - outcome.findings.size());
    }
    if (bad > 0) outcome.verdict = Verdict::fail;
    for (const auto& error : output.errors) add_error(context, error, outcome);
    if (!result.succeeded() && outcome.findings.empty()) {
      return unknown(fmt::format("pg_checksums exited with code {}", result.exit_code));
    }
    outcome.summary = fmt::format("{} files, {} blocks, {} bad", output.files.value_or(0),
                                  output.blocks.value_or(0), bad);
    if (outcome.verdict == Verdict::pass && output.blocks.value_or(0) == 0) {
      return unknown("pg_checksums read no blocks");
    }
    return outcome;
  }

  static void add_error(const StoppedContext& context, const std::string& error,
                        CheckOutcome& outcome) {
    const bool damage = tells_of_damage(error);
    const auto quote = error.find("file \"");
    const auto quoted = quote == std::string::npos ? std::string{} : error.substr(quote + 6);
    const auto file = below_data(context, quoted.substr(0, quoted.find('"')));
    outcome.findings.push_back(
        {.code = damage ? FindingCode::checksums_file : FindingCode::checksums_error,
         .object = file.empty() ? "pg_checksums" : name_of(context, file),
         .message = error,
         .hint = "pg_checksums stopped here: the remaining files were not checked"});
    if (damage) outcome.verdict = Verdict::fail;
    if (!damage && outcome.verdict == Verdict::pass) outcome.verdict = Verdict::unknown;
  }

  static std::string name_of(const StoppedContext& context, const std::string& file) {
    return context.relation_of_file(file).value_or(file);
  }

  static std::string below_data(const StoppedContext& context, const std::string& file) {
    const auto prefix = context.sandbox.paths().data.string() + "/";
    return file.starts_with(prefix) ? file.substr(prefix.size()) : file;
  }

  static Finding bad_block(const StoppedContext& context, const BadBlock& bad) {
    const auto file = below_data(context, bad.file);
    const auto relation = name_of(context, file);
    const auto offset = bad.block * page_size;
    return {
        .code = FindingCode::checksums_page,
        .object = relation,
        .message = fmt::format("block {} of {} (byte {} of file {}) does not match its checksum",
                               bad.block, relation, offset, file),
        .hint =
            "check the same block on the primary: if it is intact there, take a new full backup; "
            "if not, REINDEX the index, or find the newest backup in which the table is intact",
        .details = {{"file", file},
                    {"block", std::to_string(bad.block)},
                    {"offset", std::to_string(offset)},
                    {"calculated", bad.calculated},
                    {"stored", bad.stored}}};
  }
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::checksums_page,
    FindingCode::checksums_file,
    FindingCode::checksums_off,
    FindingCode::checksums_stray,
    FindingCode::checksums_error,
});

}  // namespace

CheckDescription page_checksums_check() {
  return {.name = "page_checksums",
          .summary = "every page of the restored cluster matches its checksum",
          .finds = finding_codes,
          .state = InstanceState::stopped,
          .weight = 50,
          .create = create<PageChecksumsCheck>};
}

}  // namespace pgrehearse
