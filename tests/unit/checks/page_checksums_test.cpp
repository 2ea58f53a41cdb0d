#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/scripted_sandbox.hpp"
#include "tests/unit/checks/physical_bench.hpp"

namespace pgrehearse {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using Runner = ScriptedCommandRunner;

constexpr auto clean = "Files scanned:   1263\nBlocks scanned:  4509\nBad checksums:  0\n";

class PageChecksumsCheck : public testing::Test {
 protected:
  PageChecksumsCheck() {
    bench.sandbox = &sandbox;
    bench.backup.postgres_major = 15;
    control.data_checksums = true;
    bench.control = &control;
  }

  CheckOutcome run() {
    runner.on({"find"}, Runner::success(""));  // unless the test has another answer
    bench.relation_of_file = [](const std::string& file) {
      return file == "base/16384/16464" ? std::optional<std::string>("shop.public.plain")
                                        : std::nullopt;
    };
    return run_check("page_checksums", bench);
  }

  ScriptedCommandRunner runner;
  ScriptedSandbox sandbox{runner};
  ControlData control;
  CheckBench bench;
};

TEST_F(PageChecksumsCheck, PassesAndCounts) {
  runner.on({"pg_checksums", "--check"}, Runner::success(clean, "35/35 MB (100%) computed\n"));
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  EXPECT_EQ(outcome.summary, "1263 files, 4509 blocks, 0 bad");
  EXPECT_THAT(bench.progress, ElementsAre("35/35 MB"));
  EXPECT_THAT(runner.commands().back().arguments, Contains(std::string("/sandbox/data")));
}

TEST_F(PageChecksumsCheck, NamesTheRelationOfABadBlock) {
  runner.on(
      {"pg_checksums"},
      Runner::failure(1,
                      "pg_checksums: error: checksum verification failed in file "
                      "\"/sandbox/data/base/16384/16464\", block 7: calculated checksum 8012 but "
                      "block contains 6E51\npg_checksums: error: checksum verification failed in "
                      "file \"/sandbox/data/base/1/2\", block 0: calculated checksum 1 but block "
                      "contains 2\n",
                      "Files scanned:   2\nBlocks scanned:  9\nBad checksums:  2\n"));
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome),
              ElementsAre("PGR-CHECKSUMS-PAGE shop.public.plain", "PGR-CHECKSUMS-PAGE base/1/2"));
  EXPECT_THAT(outcome.findings[0].message,
              HasSubstr("block 7 of shop.public.plain (byte 57344 of file base/16384/16464)"));
  EXPECT_EQ(outcome.findings[0].details.at("offset"), "57344");
}

TEST_F(PageChecksumsCheck, AFileTruncatedWithinAPageIsDamage) {
  runner.on({"pg_checksums"},
            Runner::failure(1,
                            "pg_checksums: error: could not read block 12 in file "
                            "\"/sandbox/data/base/16384/16464\": read 100 of 8192\n"));
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-CHECKSUMS-FILE shop.public.plain"));
}

TEST_F(PageChecksumsCheck, IsUnknownWithoutChecksums) {
  control.data_checksums = false;
  auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-CHECKSUMS-OFF data_checksums"));
  EXPECT_TRUE(runner.commands().empty());
  control.data_checksums = true;
  runner.on({"pg_checksums"}, Runner::failure(1,
                                              "pg_checksums: error: data checksums are not "
                                              "enabled in cluster\n"));
  EXPECT_EQ(run().verdict, Verdict::unknown);
}

TEST_F(PageChecksumsCheck, SetsFilesOfOthersAsideAndNamesThem) {
  runner.on({"find"}, Runner::success("/sandbox/data/base/5/1259_vm\n"
                                      "/sandbox/data/base/5/1259.bak\n"
                                      "/sandbox/data/base/5/1259.1\n"
                                      "/sandbox/data/base/5/README\n"
                                      "/sandbox/data/global/pg_control\n"));
  runner.on({"mkdir"}, Runner::success(""));
  runner.on({"mv"}, Runner::success(""));
  runner.on({"pg_checksums"}, Runner::success(clean));
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::pass);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-CHECKSUMS-STRAY base/5/1259.bak",
                                                      "PGR-CHECKSUMS-STRAY base/5/README"));
}

TEST_F(PageChecksumsCheck, IsUnknownWhenTheToolCannotRun) {
  runner.on({"pg_checksums"},
            Runner::failure(1, "pg_checksums: error: cluster must be shut down\n"));
  const auto outcome = run();
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_THAT(codes_and_objects(outcome), ElementsAre("PGR-CHECKSUMS-ERROR pg_checksums"));
}

TEST_F(PageChecksumsCheck, IsUnknownWhenItWasKilled) {
  runner.on({"pg_checksums"}, CommandResult{.exit_code = -1, .signal = 9});
  EXPECT_EQ(run().verdict, Verdict::unknown);
}

TEST_F(PageChecksumsCheck, ReadingNoBlockIsNotAPass) {
  runner.on({"pg_checksums"}, Runner::success("Files scanned:   0\nBlocks scanned:  0\n"));
  EXPECT_EQ(run().verdict, Verdict::unknown);
}

}  // namespace
}  // namespace pgrehearse
