// What PostgreSQL's own programs find, and that it is named: file, block, relation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/physical_checks/damaged_cluster.hpp"
#include "tests/fakes/require_or_skip.hpp"
#include "tests/unit/checks/physical_bench.hpp"

namespace pgrehearse {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::uint64_t page = 8192;

class PhysicalChecks : public testing::Test {
 protected:
  void SetUp() override {
    if (!require_or_skip(DamagedCluster::missing())) return;
    cluster = std::make_unique<DamagedCluster>();
    bench.backup.postgres_major = installed_major();
    bench.backup.postgres_version = std::to_string(installed_major());
  }

  [[nodiscard]] int installed_major() const { return cluster->sandbox().spec().postgres_major; }

  CheckOutcome run(std::string_view name, const Settings& settings = {}) {
    bench.sandbox = &cluster->sandbox();
    bench.control = &cluster->control();
    bench.connect = [this](const std::string& database) { return cluster->connect(database); };
    bench.log = cluster->instance().log_file();
    bench.relation_of_file = [this](const std::string& file) {
      return cluster->files().relation_of(file);
    };
    return run_check(name, bench, settings);
  }

  CheckOutcome amcheck(const Settings& settings = {}) {
    bench.databases = {"postgres", "shop"};
    return run("amcheck", settings);
  }

  std::unique_ptr<DamagedCluster> cluster;
  CheckBench bench;
};

TEST_F(PhysicalChecks, ASoundClusterPasses) {
  const auto startup = run("startup");
  EXPECT_EQ(startup.verdict, Verdict::pass) << startup.summary;
  const auto amchecked = amcheck();
  EXPECT_EQ(amchecked.verdict, Verdict::pass) << amchecked.summary;
  EXPECT_THAT(amchecked.findings, IsEmpty());
  EXPECT_THAT(amchecked.summary, HasSubstr("2 databases"));
  const auto deep = amcheck(settings_of({{"parent_check", true}, {"rootdescend", true}}));
  EXPECT_EQ(deep.verdict, Verdict::pass) << deep.summary;
  cluster->stop();
  const auto checksums = run("page_checksums");
  EXPECT_EQ(checksums.verdict, Verdict::pass) << checksums.summary;
  EXPECT_THAT(checksums.findings, IsEmpty());
  EXPECT_THAT(bench.progress, Contains(HasSubstr("pages of shop")));
}

TEST_F(PhysicalChecks, BadBlocksAreFoundAndNamed) {
  const auto heap = cluster->file_of("sales.\"Odd Name\"");
  const auto index = cluster->file_of("sales.orders_t");
  const auto far = cluster->file_of("sales.far_orders");
  const auto toast = cluster->connect("shop")
                         .query(
                             "select pg_relation_filepath(reltoastrelid) from pg_class where "
                             "oid = 'sales.notes'::regclass")
                         .text(0, 0);
  const auto shared = cluster->file_of("pg_catalog.pg_database");
  EXPECT_THAT(far, HasSubstr("pg_tblspc/"));
  cluster->stop();
  cluster->flip(heap, 3 * page + 6000);
  cluster->flip(index, 2 * page + 4000);
  cluster->flip(far, page + 5000);
  cluster->flip(toast, 5000);
  cluster->flip(shared, 8000);
  const auto outcome = run("page_checksums");
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome),
              UnorderedElementsAre("PGR-CHECKSUMS-PAGE shop.sales.\"Odd Name\"",
                                   "PGR-CHECKSUMS-PAGE shop.sales.orders_t",
                                   "PGR-CHECKSUMS-PAGE shop.sales.far_orders",
                                   testing::ContainsRegex("PGR-CHECKSUMS-PAGE "
                                                          "shop.pg_toast.pg_toast_[0-9]+ .TOAST "
                                                          "of shop.sales.notes."),
                                   "PGR-CHECKSUMS-PAGE pg_catalog.pg_database"));
  for (const auto& finding : outcome.findings) {
    if (finding.object != "shop.sales.\"Odd Name\"") continue;
    EXPECT_EQ(finding.details.at("block"), "3");
    EXPECT_EQ(finding.details.at("file"), heap);
  }
}

TEST_F(PhysicalChecks, AFileCutOffInMidPageIsNamed) {
  const auto heap = cluster->file_of("sales.orders");
  cluster->stop();
  cluster->truncate(heap, 2 * page + 100);
  const auto outcome = run("page_checksums");
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), Contains("PGR-CHECKSUMS-FILE shop.sales.orders"));
}

TEST_F(PhysicalChecks, AmcheckAndTheLogTellOfABadBlock) {
  const auto heap = cluster->file_of("sales.orders");
  cluster->stop();
  cluster->flip(heap, 3 * page + 6000);
  cluster->start();
  const auto outcome = amcheck();
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), Contains("PGR-AMCHECK-HEAP shop.sales.orders"));
  EXPECT_THAT(outcome.findings.at(0).message, HasSubstr("invalid page in block 3"));
  const auto startup = run("startup");
  EXPECT_EQ(startup.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(startup), Contains("PGR-LOG-DAMAGE postgresql.log"));
}

TEST_F(PhysicalChecks, AmcheckFindsWhatChecksumsCannot) {
  const auto heap = cluster->file_of("sales.\"Odd Name\"");
  const auto index = cluster->file_of("sales.orders_t");
  cluster->stop();
  cluster->disable_checksums();
  const auto before = cluster->content_of(index);
  cluster->start();
  cluster->execute("shop", {"insert into sales.orders values (9001, 'new')", "checkpoint"});
  cluster->stop();
  cluster->replace(index, before);     // the index lacks the new row
  cluster->flip(heap, 3 * page + 24);  // a line pointer
  const auto checksums = run("page_checksums");
  EXPECT_EQ(checksums.verdict, Verdict::unknown);
  EXPECT_THAT(codes_and_objects(checksums),
              UnorderedElementsAre("PGR-CHECKSUMS-OFF data_checksums"));
  cluster->start();
  const auto outcome = amcheck();
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), Contains("PGR-AMCHECK-INDEX shop.sales.orders_t"));
  EXPECT_THAT(codes_and_objects(outcome), Contains("PGR-AMCHECK-HEAP shop.sales.Odd Name"));
  const auto without = amcheck(settings_of({{"heapallindexed", false}}));
  EXPECT_THAT(codes_and_objects(without),
              testing::Not(Contains("PGR-AMCHECK-INDEX shop.sales.orders_t")));
}

TEST_F(PhysicalChecks, ADatabaseWithoutItsCatalogueIsAFailure) {
  const auto catalogue = cluster->file_of("pg_catalog.pg_class");
  cluster->stop();
  cluster->flip(catalogue, 16);
  cluster->start();
  const auto outcome = amcheck();
  EXPECT_EQ(outcome.verdict, Verdict::fail);
  EXPECT_THAT(codes_and_objects(outcome), Contains("PGR-AMCHECK-DATABASE shop"));
}

TEST_F(PhysicalChecks, AMissingExtensionIsNoEvidence) {
  const auto outcome = amcheck(settings_of({{"install", false}}));
  EXPECT_EQ(outcome.verdict, Verdict::unknown);
  EXPECT_THAT(codes_and_objects(outcome), UnorderedElementsAre("PGR-AMCHECK-SKIPPED postgres"));
}

TEST_F(PhysicalChecks, EveryDataFileHasAName) {
  const auto template0 = cluster->connect("")
                             .query("select oid from pg_database where datname = 'template0'")
                             .text(0, 0);
  cluster->stop();
  const auto data = cluster->sandbox().paths().data;
  std::size_t named = 0;
  std::vector<std::string> unnamed;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(data / "base")) {
    const auto name = entry.path().filename().string();
    if (!entry.is_regular_file() || name.find_first_not_of("0123456789") != std::string::npos) {
      continue;
    }
    const auto file = std::filesystem::relative(entry.path(), data).string();
    if (file.starts_with("base/" + template0 + "/")) continue;  // it takes no connections
    if (cluster->files().relation_of(file))
      ++named;
    else
      unnamed.push_back(file);
  }
  EXPECT_GT(named, 500U);
  EXPECT_THAT(unnamed, IsEmpty());
}

}  // namespace
}  // namespace pgrehearse
