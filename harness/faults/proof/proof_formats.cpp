#include "harness/faults/proof/proof_formats.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "harness/common/text.hpp"
#include "harness/common/units.hpp"
#include "harness/report/finding_codes.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

std::string xml_text(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '&':
        escaped += "&amp;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        // XML 1.0 does not allow other control characters, not even escaped.
        escaped += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return escaped;
}

Json json_of(const FaultResult& result) {
  Json expected = Json::array();
  for (const auto& [code, object] : result.expected) {
    expected.push_back({{"code", text_of(code)}, {"object", object}});
  }
  Json codes = Json::array();
  for (const auto code : result.codes) codes.push_back(text_of(code));
  Json row{{"name", result.fault.name},
           {"summary", result.fault.summary},
           {"source", result.fault.source},
           {"phase", result.fault.phase},
           {"expected", name_of(result.fault.expect.verdict)},
           {"expected_findings", expected},
           {"verdict", name_of(result.verdict)},
           {"codes", codes},
           {"diagnosis",
            {{"summary", result.diagnosis.summary},
             {"code", text_of(result.diagnosis.code)},
             {"object", result.diagnosis.object},
             {"likely_cause", name_of(result.diagnosis.likely_cause)},
             {"recoverable", result.diagnosis.recoverable},
             {"next_step", result.diagnosis.next_step},
             {"evidence", result.diagnosis.evidence}}},
           {"detected", result.detected},
           {"seconds", result.seconds}};
  if (!result.missing.empty()) row["missing"] = result.missing;
  if (!result.skipped.empty()) row["skipped"] = result.skipped;
  if (!result.not_applicable.empty()) row["not_applicable"] = result.not_applicable;
  if (!result.baselines.empty()) row["baselines"] = result.baselines;
  return row;
}

Json json_of(const CleanRun& run) {
  Json row{{"name", run.name}, {"verdict", name_of(run.verdict)}, {"seconds", run.seconds}};
  if (run.verdict != Verdict::pass) {
    row["summary"] = run.diagnosis.summary;
    row["code"] = text_of(run.diagnosis.code);
    row["object"] = run.diagnosis.object;
  }
  if (!run.baselines.empty()) row["baselines"] = run.baselines;
  return row;
}

Json json_of(const OriginalRepository& original) {
  return {{"scenario", original.scenario.native()},
          {"path", original.path.native()},
          {"stanza", original.stanza},
          {"backups", original.backups},
          {"copied_bytes", original.copied_bytes},
          {"left_out", original.left_out},
          {"files", original.files},
          {"unchanged", original.change.differences.empty()},
          {"new_segments", original.change.new_segments},
          {"changes", original.change.differences}};
}

void write_original(const OriginalRepository& original, std::ostream& out) {
  if (!original.left_out.empty()) {
    out << "omitted from the scenario: " << join(original.left_out, "; ") << '\n';
  }
  out << fmt::format("{}, stanza {}: {}\n", original.path.native(), original.stanza,
                     summary_of(original));
  for (const auto& difference : original.change.differences) out << "  " << difference << '\n';
}

}  // namespace

std::string line_of(const FaultResult& result) {
  const auto& diagnosis = result.diagnosis;
  const auto said = diagnosis.code == FindingCode::none
                        ? std::string()
                        : fmt::format(" {} {}", text_of(diagnosis.code), diagnosis.object);
  if (!result.not_applicable.empty()) {
    return fmt::format("n/a      {:<36}         {}", result.fault.name, result.not_applicable);
  }
  if (!result.skipped.empty()) {
    return fmt::format("skipped  {:<36}         {}", result.fault.name, result.skipped);
  }
  auto line = fmt::format("{:<8} {:<36} {:>5.1f}s  {}{}", result.detected ? "detected" : "MISSED",
                          result.fault.name, result.seconds, name_of(result.verdict), said);
  if (!result.missing.empty()) line += "\n         " + result.missing;
  return line;
}

std::string line_of(const CleanRun& run) {
  const bool passed = run.verdict == Verdict::pass;
  auto line = fmt::format("{:<8} {:<36} {:>5.1f}s  {}", passed ? "clean" : "ALARM", run.name,
                          run.seconds, name_of(run.verdict));
  if (!passed)
    line += fmt::format("\n         {} {}", text_of(run.diagnosis.code), run.diagnosis.summary);
  return line;
}

std::string summary_of(const OriginalRepository& original) {
  const auto& [new_segments, differences] = original.change;
  if (!differences.empty()) {
    return fmt::format("the repository changed during the run: {} {}", differences.size(),
                       differences.size() == 1 ? "difference" : "differences");
  }
  auto text = fmt::format(
      "the repository is unchanged: path, size, times, inode and mode of all {} files and "
      "directories",
      original.files);
  if (!new_segments.empty()) {
    text += fmt::format("; {} WAL {} archived during the run", new_segments.size(),
                        new_segments.size() == 1 ? "segment was" : "segments were");
  }
  return text;
}

void write_proof_text(const ProofScore& score, std::ostream& out) {
  for (const auto& run : score.clean_runs) out << line_of(run) << '\n';
  for (const auto& result : score.faults) out << line_of(result) << '\n';
  if (score.stopped_by_control) {
    const auto& diagnosis = score.clean_runs.front().diagnosis;
    out << fmt::format(
        "\n"
        "no fault was injected: the scenario does not pass on an undamaged copy\n"
        "  {}\n",
        diagnosis.summary);
    if (!diagnosis.next_step.empty()) out << "  " << diagnosis.next_step << '\n';
    if (score.original) write_original(*score.original, out);
    return;
  }
  out << fmt::format(
      "\n"
      "detected {} of {} injected faults; {} false {} in {} clean {}; {}\n",
      score.detected(), score.injected(), score.false_alarms(),
      score.false_alarms() == 1 ? "alarm" : "alarms", score.clean_runs.size(),
      score.clean_runs.size() == 1 ? "run" : "runs", to_text(Seconds(score.seconds)));
  if (score.not_applicable() > 0) {
    out << fmt::format("{} faults do not apply\n", score.not_applicable());
  }
  constexpr std::string_view verifier = "pg_verifybackup";
  out << fmt::format("{} {} calls, all of them on {}\n", score.repository_commands,
                     score.tool == BackupTool::basebackup ? verifier : title_of(score.tool),
                     score.original ? "the copy" : "repositories of the laboratory");
  if (score.original) write_original(*score.original, out);
}

void write_proof_json(const ProofScore& score, std::ostream& out) {
  Json faults = Json::array();
  for (const auto& result : score.faults) faults.push_back(json_of(result));
  Json clean = Json::array();
  for (const auto& run : score.clean_runs) clean.push_back(json_of(run));
  Json document{{"schema", "pgrehearse.proof/1"},
                {"tool", name_of(score.tool)},
                {"injected", score.injected()},
                {"detected", score.detected()},
                {"skipped", score.skipped()},
                {"not_applicable", score.not_applicable()},
                {"clean_runs", score.clean_runs.size()},
                {"false_alarms", score.false_alarms()},
                {"seconds", score.seconds},
                {"faults", faults},
                {"controls", clean}};
  if (score.original) document["original"] = json_of(*score.original);
  out << document.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

void write_proof_junit(const ProofScore& score, std::ostream& out) {
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  out << fmt::format(
      "<testsuite name=\"pgrehearse prove\" tests=\"{}\" failures=\"{}\" time=\"{:.3f}\">\n",
      score.faults.size() + score.clean_runs.size() + (score.original ? 1 : 0),
      score.injected() - score.detected() + score.false_alarms() +
          (score.original && !score.original->change.differences.empty() ? 1 : 0),
      score.seconds);
  const auto write = [&](std::string_view group, const std::string& name, double seconds,
                         const std::string& failure, const std::string& skipped) {
    out << fmt::format("  <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"", group,
                       xml_text(name), seconds);
    if (!skipped.empty()) {
      out << fmt::format(">\n    <skipped message=\"{}\"/>\n  </testcase>\n", xml_text(skipped));
    } else if (failure.empty()) {
      out << "/>\n";
    } else {
      out << fmt::format(">\n    <failure message=\"{}\"/>\n  </testcase>\n", xml_text(failure));
    }
  };
  for (const auto& run : score.clean_runs) {
    write("clean run", run.name, run.seconds,
          run.verdict == Verdict::pass ? std::string() : "false alarm: " + run.diagnosis.summary,
          {});
  }
  for (const auto& result : score.faults) {
    write("fault", result.fault.name, result.seconds, result.missing,
          result.not_applicable.empty() ? result.skipped : result.not_applicable);
  }
  if (score.original) {
    const auto& differences = score.original->change.differences;
    write("original", "the repository is unchanged", 0, join(differences, "; "), {});
  }
  out << "</testsuite>\n";
}

}  // namespace pgrehearse
