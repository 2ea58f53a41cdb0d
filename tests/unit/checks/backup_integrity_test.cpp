#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/checks/physical_bench.hpp"

namespace pgrehearse {
namespace {

using testing::ElementsAre;

class StatedRepository : public UntouchedRepository {
 public:
  BackupList list(std::stop_token) override { return sets; }
  Verification verify(const Backup&, std::stop_token) override {
    if (failure) throw Error(*failure);
    ++verified;
    return verification;
  }

  BackupList sets;
  Verification verification{.ok = true};
  std::optional<Error> failure;
  int verified = 0;
};

class BackupIntegrityCheck : public testing::Test {
 protected:
  BackupIntegrityCheck() {
    bench.repository = std::make_unique<StatedRepository>();
    bench.backup.label = "20261120-030000F_20261121-030000I";
    bench.backup.references = {"20261120-030000F"};
    repository().sets.backups = {{.label = "20261120-030000F"}, bench.backup};
  }

  StatedRepository& repository() { return dynamic_cast<StatedRepository&>(*bench.repository); }
  CheckOutcome run(const Settings& settings = {}) {
    return run_check("backup_integrity", bench, settings);
  }

  CheckBench bench;
};

TEST_F(BackupIntegrityCheck, PassesAndVerifies) {
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  EXPECT_TRUE(outcome.findings.empty());
  EXPECT_EQ(repository().verified, 1);
}

TEST_F(BackupIntegrityCheck, SkipsVerificationIfDisabled) {
  EXPECT_EQ(run(settings_of({{"verify", false}})).verdict, Verdict::pass);
  EXPECT_EQ(repository().verified, 0);
}

TEST_F(BackupIntegrityCheck, NamesFilesWithErrorsInTheBackup) {
  bench.backup.error = true;
  bench.backup.errors = {"pg_data/base/16384/16394"};
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-BACKUP-ERROR pg_data/base/16384/16394"));
}

TEST_F(BackupIntegrityCheck, AFileOfOthersIsNoDamage) {
  bench.backup.error = true;
  bench.backup.errors = {"pg_data/base/1/README"};
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-CHECKSUMS-STRAY pg_data/base/1/README"));
}

TEST_F(BackupIntegrityCheck, ChecksTheBackupsItDependsOn) {
  bench.backup.error = true;
  repository().sets.backups[0].error = true;
  EXPECT_THAT(codes_and_objects(run()),
              ElementsAre("PGR-BACKUP-ERROR 20261120-030000F_20261121-030000I",
                          "PGR-BACKUP-ERROR 20261120-030000F"));
  repository().sets.backups.erase(repository().sets.backups.begin());
  bench.backup.error = false;
  EXPECT_THAT(codes_and_objects(run()), ElementsAre("PGR-BACKUP-REFERENCE 20261120-030000F"));
  EXPECT_EQ(run().verdict, Verdict::fail);
}

TEST_F(BackupIntegrityCheck, AnErrorThatALaterBackupRepairedIsNoted) {
  repository().sets.backups[0].error = true;
  repository().sets.backups[0].errors = {"pg_data/base/16384/16394"};
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-BACKUP-REPAIRED 20261120-030000F"));
  EXPECT_EQ(severity_of(outcome.findings.at(0)), Severity::note);
}

TEST_F(BackupIntegrityCheck, GivesAVerdictForEachRepository) {
  repository().sets.status = {.code = 4, .message = "different across repos"};
  repository().sets.repositories = {{1, {.code = 2, .message = "no valid backups"}},
                                    {2, {.code = 0, .message = "ok"}}};
  bench.backup.repository_key = 2;
  for (auto& backup : repository().sets.backups) backup.repository_key = 2;
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-REPO-EMPTY repo1"));
  EXPECT_EQ(outcome.summary,
            "repo2: pass, backup 20261120-030000F_20261121-030000I (depends on 1 backup), "
            "every file verified; repo1: fail, no valid backups");
}

TEST_F(BackupIntegrityCheck, NotesAClockThatWasSetBack) {
  auto& backups = repository().sets.backups;
  backups[0].stop_time = *parse_instant("2026-11-20 05:00:00+00");
  backups[1].stop_time = *parse_instant("2026-11-20 03:10:00+00");
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  EXPECT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-CLOCK-WRONG 20261120-030000F_20261121-030000I"));
}

TEST_F(BackupIntegrityCheck, NamesTheFileThatDoesNotVerify) {
  repository().verification = {
      .ok = false, .problems = {"invalid checksum '20261120-030000F/pg_data/base/1/112.lz4'"}};
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-BACKUP-VERIFY 20261120-030000F/pg_data/base/1/112.lz4"));
}

TEST_F(BackupIntegrityCheck, FailsWhenTheVerificationFailsWithoutAMessage) {
  repository().verification = {.ok = false};
  EXPECT_EQ(run().verdict, Verdict::fail);
}

TEST_F(BackupIntegrityCheck, IsUnknownWhenItCannotVerify) {
  repository().failure.emplace(ErrorKind::repository, "verify is not supported");
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-BACKUP-UNVERIFIED 20261120-030000F_20261121-030000I"));
  bench.backup.error = true;
  EXPECT_EQ(run().verdict, Verdict::fail) << "what is known to be wrong stays wrong";
}

TEST_F(BackupIntegrityCheck, EvaluatesTheStatusOfTheRepository) {
  repository().sets.status = {.code = 3, .message = "missing stanza data"};
  EXPECT_EQ(run().verdict, Verdict::fail);
  repository().sets.status = {.code = 99, .message = "other"};
  EXPECT_EQ(run().verdict, Verdict::unknown);
}

}  // namespace
}  // namespace pgrehearse
