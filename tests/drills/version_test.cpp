// One drill for each installed PostgreSQL major version, each with different options. If a
// version's packages lack a binary, the checks that need it are skipped.
#include <fmt/format.h>
#include <unistd.h>

#include "harness/postgres/binaries.hpp"
#include "tests/drills/drill_fixture.hpp"
#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

struct Row {
  int major = 0;
  std::string pgbackrest;  // installed by install-versions; empty: this host's
  std::string compress_type;
  std::string passphrase;  // empty: not encrypted
  bool checksums = true;
  std::uint64_t segment_megabytes = 16;
  bool tablespace = false;
  std::vector<std::string> initdb_options;  // locale provider
};

std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.major; }

std::vector<Row> rows() {
  const std::string newer = "pgbackrest-2.55.1";
  const std::string secret = "correct horse battery staple";
  return {{.major = 12, .compress_type = "gz"},
          {.major = 13,
           .compress_type = "lz4",
           .passphrase = secret,
           .checksums = false,
           .segment_megabytes = 1,
           .tablespace = true},
          {.major = 15,
           .compress_type = "zst",
           .segment_megabytes = 64,
           .tablespace = true,
           .initdb_options = {"--locale-provider=icu", "--icu-locale=de"}},
          {.major = 16,
           .pgbackrest = newer,
           .compress_type = "none",
           .passphrase = secret,
           .initdb_options = {"--locale-provider=icu", "--icu-locale=und"}},
          {.major = 17,
           .pgbackrest = newer,
           .compress_type = "zst",
           .segment_megabytes = 4,
           .tablespace = true,
           .initdb_options = {"--locale-provider=builtin", "--builtin-locale=C.UTF-8"}},
          {.major = 18,
           .pgbackrest = newer,
           .compress_type = "bz2",
           .passphrase = secret,
           .checksums = false,
           .segment_megabytes = 1}};
}

class VersionDrill : public DrillTest, public testing::WithParamInterface<Row> {
 protected:
  void SetUp() override {
    DrillTest::SetUp();
    if (IsSkipped()) return;
    const auto& row = GetParam();
    const auto own = fs::path(PGREHEARSE_VERSIONS) / std::to_string(row.major) / "bin";
    const auto installed = installed_majors();
    const bool here = std::find(installed.begin(), installed.end(), row.major) != installed.end();
    if (!here) binaries_ = own;
    if (here || fs::exists(own / "postgres")) return;
#if defined(__x86_64__)
    constexpr auto remedy = Remedy::package;
#else
    constexpr auto remedy = Remedy::none;  // the packages are for x86_64 only
#endif
    const auto missing = "PostgreSQL " + std::to_string(row.major) + " is not installed";
    static_cast<void>(require_or_skip(missing, remedy));
  }

  [[nodiscard]] std::string pgbackrest() const {
    const auto& name = GetParam().pgbackrest;
    return name.empty() ? "pgbackrest" : (fs::path(PGREHEARSE_VERSIONS) / name).native();
  }

  std::unique_ptr<Laboratory> make_primary() {
    const auto& row = GetParam();
    return make_laboratory({.postgres_major = row.major,
                            .binaries = binaries_,
                            .pgbackrest = pgbackrest(),
                            .checksums = row.checksums,
                            .initdb_options = row.initdb_options,
                            .wal_segment_size = {row.segment_megabytes << 20U},
                            .compress_type = row.compress_type,
                            .cipher_passphrase = row.passphrase});
  }

  [[nodiscard]] bool has(const char* program) const {
    return !binaries_ || fs::exists(*binaries_ / program);
  }

  // What this row's packages and cluster allow: a check that cannot run is unknown.
  [[nodiscard]] std::string checks() const {
    std::string names =
        "databases, identity, wal_continuity, backup_integrity, row_counts, "
        "sequences, indexes";
    if (GetParam().checksums && has("pg_checksums")) names += ", page_checksums";
    if (GetParam().major >= 14 && has("pg_amcheck")) names += ", amcheck";
    return names;
  }

  std::optional<fs::path> binaries_;
};

TEST_P(VersionDrill, BackupIsRestoredAndChecked) {
  auto own = make_primary();
  auto sql = own->connect("postgres", {});
  std::string where;
  if (GetParam().tablespace) {
    sql.query(fmt::format("create tablespace elsewhere location '{}'",
                          own->paths().tablespaces.native()));
    where = " tablespace elsewhere";
  }
  sql.query("create table public.goods (id int primary key, name text collate \"C\")" + where);
  sql.query("insert into public.goods select i, 'piece ' || i from generate_series(1, 10000) i");
  own->back_up(BackupType::full, {});
  sql.query("update public.goods set name = upper(name) where id % 3 = 0");
  own->back_up(BackupType::incremental, {});
  sql.query("delete from public.goods where id % 5 = 0");
  own->switch_wal_and_wait({});

  std::vector<std::string> options{"--set", "repository.binary=" + pgbackrest()};
  if (binaries_) {
    options.insert(options.end(), {"--set", "sandbox.binaries=" + binaries_->native()});
  }
  const auto run = run_scenario(
      own->scenario_text("version",
                         "checks: [" + checks() +
                             ", query: { name: what "
                             "was deleted is gone, database: postgres, "
                             "sql: \"select count(*) from public.goods\", expect: 8000 }]\n"),
      options);
  EXPECT_EQ(run.exit_code, 0) << run.text();
  ASSERT_TRUE(run.report) << run.text();
  EXPECT_EQ(run.report->verdict, Verdict::pass);
  for (const auto& check : run.report->checks) {
    if (check.verdict == Verdict::pass) continue;
    EXPECT_EQ(check.verdict, Verdict::skipped) << check.name;
    EXPECT_TRUE(check.name == "landing" && !has("pg_waldump"))
        << check.name << ": " << check.summary;
    std::cout << "skipped: " << check.name << ": " << check.summary << '\n';
  }
  expect_nothing_left();
}

INSTANTIATE_TEST_SUITE_P(Each, VersionDrill, testing::ValuesIn(rows()), [](const auto& row) {
  return fmt::format("PostgreSQL{}", row.param.major);
});

}  // namespace
}  // namespace pgrehearse
