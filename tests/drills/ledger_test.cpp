// Drills are recorded: the ledger shows every change of their files, holds no secret, and its
// evidence can be verified without pgrehearse.
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tests/drills/drill_fixture.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

std::string content_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void flip_a_byte(const fs::path& file) {
  auto text = content_of(file);
  ASSERT_FALSE(text.empty()) << file;
  text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
  std::ofstream(file, std::ios::binary) << text;
}

class LedgerDrill : public DrillTest {
 protected:
  // As a shell would run it.
  CommandResult run_program(std::string program, std::vector<std::string> arguments) {
    return runner.run({.program = std::move(program),
                       .arguments = std::move(arguments),
                       .timeout = std::chrono::minutes(5)},
                      {});
  }
  Json history(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), "history");
    arguments.insert(arguments.end(), {"--format", "json"});
    const auto run = pgrehearse(std::move(arguments));
    return Json::parse(run.output, nullptr, false);
  }
  [[nodiscard]] fs::path run_directory() const { return state / "runs/drill-test/latest"; }
};

constexpr std::string_view quick = "recover_to: immediate\nchecks: [startup]\n";

TEST_F(LedgerDrill, EveryChangeOfItsFilesIsNamed) {
  const auto run = run_scenario(scenario(quick));
  ASSERT_EQ(run.exit_code, 0) << run.text();
  const auto rows = history();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0]["id"], run.report->id);
  EXPECT_EQ(rows[0]["state"], "finished");
  EXPECT_EQ(rows[0]["backup_label"], run.report->backup->label);
  EXPECT_EQ(rows[0]["landing_lsn"], to_text(*run.report->landing->lsn));
  const auto verified = pgrehearse({"history", "verify"});
  EXPECT_EQ(verified.exit_code, 0) << verified.text();
  EXPECT_THAT(verified.output, HasSubstr("entries 2, drills 1, run directories 1; "
                                         "nothing was changed"));
  for (const auto* file : {"report.json", "logs/postgresql.log", "scenario.yaml", "report.html",
                           "ledger-entry", "SHA256SUMS"}) {
    flip_a_byte(run_directory() / file);
    const auto changed = pgrehearse({"history", "verify"});
    EXPECT_EQ(changed.exit_code, 1) << changed.text();
    EXPECT_THAT(changed.output, HasSubstr(std::string(file) + " was changed"));
    flip_a_byte(run_directory() / file);
  }
  fs::rename(run_directory() / "report.txt", run_directory() / "report.old");
  const auto renamed = pgrehearse({"history", "verify"});
  EXPECT_THAT(renamed.output, testing::AllOf(HasSubstr("report.txt is missing"),
                                             HasSubstr("report.old was added")));
  expect_nothing_left();
}

TEST_F(LedgerDrill, EvidenceIsVerifiedWithoutPgrehearse) {
  const auto key = scratch / "evidence_key";
  ASSERT_TRUE(run_program("ssh-keygen", {"-q", "-t", "ed25519", "-N", "", "-f", key}).succeeded());
  auto text = scenario(quick);
  ASSERT_EQ(run_scenario(text + "ledger: { sign: " + key.string() + " }\n").exit_code, 0);
  const auto failed = run_scenario(text, {"--set", "repository.backup=20200101-000000F"});
  ASSERT_EQ(failed.exit_code, 3) << failed.text();

  const auto archive = scratch / "evidence.tar.gz";
  const auto written = pgrehearse({"history", "export", archive, "--since", "1d", "--sign", key});
  ASSERT_EQ(written.exit_code, 0) << written.text();
  EXPECT_THAT(written.output, HasSubstr("drills 2, with files 2, ledger entries 4; signed"));
  ASSERT_TRUE(run_program("tar", {"-C", scratch, "-xzf", archive}).succeeded());
  const auto script = scratch / "evidence/verify.sh";
  const auto verified = run_program("sh", {script});
  EXPECT_EQ(verified.exit_code, 0) << verified.output << verified.error_output;
  EXPECT_THAT(verified.output, HasSubstr("Good \"pgrehearse\" signature"));
  EXPECT_THAT(verified.output, HasSubstr("\nverified\n"));

  const auto signers = scratch / "signers";
  fs::copy_file(scratch / "evidence/allowed_signers", signers);
  const auto unsigned_drill = pgrehearse({"history", "verify", "--allowed-signers", signers});
  EXPECT_EQ(unsigned_drill.exit_code, 1);
  EXPECT_THAT(unsigned_drill.output, HasSubstr(failed.report ? failed.report->id : "drill"));
  EXPECT_THAT(unsigned_drill.output, HasSubstr("ledger-entry is not signed"));
  EXPECT_THAT(unsigned_drill.output, HasSubstr("problems: 1"));

  const auto drills = scratch / "evidence/drills.csv";
  flip_a_byte(drills);
  const auto changed = run_program("sh", {script});
  EXPECT_EQ(changed.exit_code, 1);
  EXPECT_THAT(changed.output + changed.error_output, HasSubstr("drills.csv"));
  flip_a_byte(drills);
  flip_a_byte(scratch / "evidence/entries");
  EXPECT_THAT(run_program("sh", {script}).output, HasSubstr("was changed"));
}

TEST_F(LedgerDrill, ASecretIsInNoRowFileOrExport) {
  const std::string secret = "tiger-lily-7351";
  auto text = scenario(quick);
  const auto user = text.find("user=");
  ASSERT_NE(user, std::string::npos) << text;
  text.insert(user, "password=" + secret + " ");
  const auto run = run_scenario(text);
  ASSERT_EQ(run.exit_code, 0) << run.text();
  const auto target = scratch / "evidence";
  ASSERT_EQ(pgrehearse({"history", "export", target}).exit_code, 0);
  for (const auto& directory : {state, target}) {
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
      if (!entry.is_regular_file()) continue;
      EXPECT_THAT(content_of(entry.path()), Not(HasSubstr(secret))) << entry.path();
    }
  }
  EXPECT_THAT(content_of(run_directory() / "scenario.yaml"), HasSubstr("password=***"));
  const auto refused = pgrehearse({"history", "--ledger", "host=x password=" + secret});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.error_output, Not(HasSubstr(secret)));
}

TEST_F(LedgerDrill, UnprovedTakesTheOldestBackupsFirstAndRandomCanBeRepeated) {
  const auto text = scenario(quick);
  std::vector<std::string> labels;
  for (int drill = 0; drill < 2; ++drill) {
    const auto run = run_scenario(text, {"--set", "repository.backup=unproved"});
    ASSERT_EQ(run.exit_code, 0) << run.text();
    labels.push_back(run.report->backup->label);
    EXPECT_THAT(run.report->backup->reason, HasSubstr("no drill has proved"));
  }
  EXPECT_LT(labels[0], labels[1]);
  const auto coverage = Json::parse(pgrehearse({"history", "coverage", "--format", "json"}).output);
  ASSERT_EQ(coverage.size(), 1U);
  EXPECT_EQ(coverage[0]["backups"].size(), 2U);

  const auto random =
      run_scenario(scenario("recover_to: { random: { within: 7d } }\nchecks: [startup]\n"), {});
  ASSERT_EQ(random.exit_code, 0) << random.text();
  ASSERT_TRUE(random.report->scenario.seed.has_value());
  EXPECT_THAT(random.report->landing->asked, HasSubstr("random within 7d 0h, seed"));
  const auto again = run_scenario(text, {"--set", "repository.backup=random", "--set", "seed=42",
                                         "--set", "recover_to=immediate"});
  const auto third = run_scenario(text, {"--set", "repository.backup=random", "--set", "seed=42",
                                         "--set", "recover_to=immediate"});
  ASSERT_EQ(again.exit_code, 0) << again.text();
  EXPECT_EQ(again.report->backup->label, third.report->backup->label);
  EXPECT_EQ(again.report->scenario.seed, 42U);
}

TEST_F(LedgerDrill, OldRunDirectoriesAreImportedAndPruned) {
  ASSERT_EQ(run_scenario(scenario(quick)).exit_code, 0);
  ASSERT_EQ(run_scenario(scenario(quick)).exit_code, 0);
  fs::remove(state / "ledger.sqlite");
  fs::remove(state / "ledger.sqlite-wal");
  fs::remove(state / "ledger.sqlite-shm");
  EXPECT_EQ(history()[0]["in_ledger"], false);
  EXPECT_THAT(pgrehearse({"history", "import"}).output, HasSubstr("ledger.sqlite: 2"));
  EXPECT_THAT(pgrehearse({"history", "import"}).output, HasSubstr("ledger.sqlite: 0"));
  EXPECT_EQ(pgrehearse({"history", "verify"}).exit_code, 0);
  EXPECT_EQ(history()[0]["in_ledger"], true);

  ASSERT_EQ(run_scenario(scenario(quick)).exit_code, 0);
  EXPECT_EQ(pgrehearse({"history", "prune"}).exit_code, 3);
  EXPECT_THAT(pgrehearse({"history", "prune", "--keep", "1", "--dry-run"}).output,
              HasSubstr("that would be removed: 2"));
  EXPECT_THAT(pgrehearse({"history", "prune", "--keep", "1"}).output,
              HasSubstr("drills removed: 2"));
  EXPECT_EQ(history().size(), 1U);
  const auto verified = pgrehearse({"history", "verify"});
  EXPECT_EQ(verified.exit_code, 0) << verified.text();
  EXPECT_THAT(verified.output, HasSubstr("drills 1, run directories 1"));
}

}  // namespace
}  // namespace pgrehearse
