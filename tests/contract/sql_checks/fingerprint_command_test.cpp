// `pgrehearse fingerprint` against a real server, and the check `comparison` against its file.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/primary/fingerprint/fingerprint_file.hpp"
#include "harness/primary/primary.hpp"
#include "tests/contract/sql_checks/sql_check_test.hpp"
#include "tests/unit/cli/run_cli.hpp"

namespace pgrehearse {
namespace {

using testing::HasSubstr;

class FingerprintCommandTest : public SqlCheckTest {
 protected:
  void SetUp() override {
    SqlCheckTest::SetUp();
    if (IsSkipped()) return;
    std::string name = std::filesystem::temp_directory_path() / "pgr-fingerprint-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory = name;
    file = directory / "primary.fingerprint";
    database =
        make_database({"create table kept (id int primary key, v text)",
                       "insert into kept select g, 'v' || g from generate_series(1, 100) g",
                       "create table big as select g as i, repeat('x', 300) as filler from "
                       "generate_series(1, 40000) g",
                       "create table secret (i int)", "create unlogged table scratch (i int)",
                       "create sequence numbers", "analyze"});
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  }

  CliResult take(std::vector<std::string> more = {}, const std::string& user = "postgres") {
    std::vector<std::string> words{"fingerprint", "--primary",   copy_cluster().dsn(user),
                                   "--to",        file.string(), "--format",
                                   "json"};
    // The other tests' databases are of no interest.
    for (const auto& other : Primary(copy_cluster().dsn()).databases({})) {
      if (other != database)
        words.insert(words.end(), {std::string("--table"), other + ".*=exclude"});
    }
    words.insert(words.end(), more.begin(), more.end());
    return run_cli(std::move(words));
  }

  std::vector<RelationContent> relations_of_file() const {
    FingerprintReader reader(std::make_unique<std::ifstream>(file), file.string());
    std::vector<RelationContent> relations;
    while (const auto* line = reader.next()) {
      if (const auto* relation = std::get_if<RelationContent>(line)) relations.push_back(*relation);
    }
    return relations;
  }

  RelationContent relation(const std::string& name) const {
    for (auto& found : relations_of_file()) {
      if (found.name == name) return found;
    }
    throw std::runtime_error("no such relation in the file: " + name);
  }

  std::filesystem::path directory;
  std::filesystem::path file;
  std::string database;
};

TEST_F(FingerprintCommandTest, WritesAWholeFileThatOnlyItsOwnerReads) {
  const auto result = take({"--allow-inexact"});
  EXPECT_EQ(result.exit_code, 0) << result.error_output;
  const auto json = nlohmann::json::parse(result.output);
  EXPECT_EQ(json["gaps"], 0);
  EXPECT_EQ(json["rows"], 40100);
  EXPECT_EQ(json["left_out"]["unlogged"], 1);
  EXPECT_EQ(json["databases"].size(), 1U);
  EXPECT_EQ(relation("public.kept").rows, 100);
  struct stat status = {};
  ASSERT_EQ(stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory), {}), 1);
}

TEST_F(FingerprintCommandTest, OptionsAreTheSettingsOfTheComparison) {
  ASSERT_EQ(take({"--allow-inexact", "--sample", "2%", "--connections", "1", "--table",
                  database + ".public.kept=count_only"})
                .exit_code,
            0);
  EXPECT_EQ(relation("public.big").coverage, Coverage::sampled);
  EXPECT_LT(relation("public.big").rows, 10000);
  EXPECT_EQ(relation("public.kept").coverage, Coverage::counted);
  EXPECT_EQ(relation("public.kept").rows, 100);
}

TEST_F(FingerprintCommandTest, WhatIsMissingIsAnExitCodeAndAReason) {
  copy_cluster().execute("postgres", {"create role scribe login"});
  copy_cluster().execute(database, {"grant select on kept, big, numbers to scribe"});
  const auto result = take({"--allow-inexact"}, "scribe");
  const auto accepted = take({"--allow-inexact", "--uncompared", "pass"}, "scribe");
  const auto missing = relation("public.secret");
  copy_cluster().execute(database, {"drop owned by scribe", "drop role scribe"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(accepted.exit_code, 0);
  EXPECT_EQ(missing.cause, Uncovered::permission);
}

TEST_F(FingerprintCommandTest, WithoutTimeNothingIsReadAndItSaysSo) {
  const auto result = take({"--allow-inexact", "--time", "0s"});
  EXPECT_EQ(result.exit_code, 2);
  const auto json = nlohmann::json::parse(result.output);
  EXPECT_EQ(json["rows"], 0);
  EXPECT_THAT(json["budget_over"], HasSubstr("budget.time of"));
}

TEST_F(FingerprintCommandTest, ATableThatTakesTooLongIsListed) {
  // Far longer than the limit, which a catalog statement does not meet on a busy machine.
  copy_cluster().execute(database,
                         {"create table slow as select * from generate_series(1, 3000000)"});
  const auto result = take({"--allow-inexact", "--statement-timeout", "200ms"});
  copy_cluster().execute(database, {"drop table slow"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_GT(nlohmann::json::parse(result.output)["left_out"]["budget"], 0);
  EXPECT_EQ(relation("public.slow").cause, Uncovered::budget);
}

TEST_F(FingerprintCommandTest, AnOldFileStaysWhereANewOneFails) {
  std::ofstream(file) << "old";
  const auto result =
      run_cli({"fingerprint", "--primary", "host=" + directory.string() + " dbname=nowhere", "--to",
               file.string()});
  EXPECT_EQ(result.exit_code, 2);
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  EXPECT_EQ(text.str(), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory), {}), 1);
}

class AgainstFileTest : public FingerprintCommandTest {
 protected:
  CheckOutcome compare(double tolerance = 0.01) {
    bench.control = &control;
    return run_check("comparison",
                     settings_of({{"against", file.string()}, {"tolerance", tolerance}}));
  }
  void SetUp() override {
    FingerprintCommandTest::SetUp();
    if (IsSkipped()) return;
    ASSERT_EQ(take({"--allow-inexact"}).exit_code, 0);
    FingerprintReader reader(std::make_unique<std::ifstream>(file), file.string());
    control.system_identifier = reader.header().system_identifier;
  }
  ControlData control;
};

TEST_F(AgainstFileTest, ACleanCopyPasses) {
  const auto outcome = compare();
  EXPECT_EQ(outcome.verdict, Verdict::pass) << outcome.summary;
  EXPECT_ANNOUNCED("comparison", outcome);
}

TEST_F(AgainstFileTest, LostRowsAreFound) {
  copy_cluster().execute(database, {"delete from kept where id < 50"});
  const auto outcome = compare();
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome),
              testing::Contains("PGR-COMPARE-ROWS-MISSING " + database + ".public.kept"));
}

TEST_F(AgainstFileTest, AFileThatWasCutOffIsRefused) {
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 100);
  const auto outcome = compare();
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  ASSERT_EQ(outcome.findings.size(), 1U);
  EXPECT_EQ(outcome.findings[0].code, FindingCode::compare_file);
}

TEST_F(AgainstFileTest, AFileOfAnotherClusterIsRefused) {
  ++control.system_identifier;
  const auto outcome = compare();
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  ASSERT_EQ(outcome.findings.size(), 1U);
  EXPECT_EQ(outcome.findings[0].code, FindingCode::compare_file);
  EXPECT_THAT(outcome.findings[0].message, HasSubstr("another cluster"));
}

TEST_F(AgainstFileTest, AFileThatIsNotThereIsRefused) {
  std::filesystem::remove(file);
  const auto outcome = compare();
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  ASSERT_EQ(outcome.findings.size(), 1U);
  EXPECT_EQ(outcome.findings[0].code, FindingCode::compare_file);
}

}  // namespace
}  // namespace pgrehearse
