#include "harness/primary/snapshot/snapshot_search.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

using namespace std::chrono_literals;

struct Plan {
  Lsn begin;
  Lsn end;
  std::string snapshot = "10:20:";
  bool known_exact = false;
  std::uint64_t locks = 0;
};

using Plans = std::vector<Plan>;

// Takes the planned snapshots in turn, then the last one again; connects nowhere.
class FakeStrategy : public SnapshotStrategy {
 public:
  explicit FakeStrategy(Plans plans) : plans_(std::move(plans)) {}

  [[nodiscard]] std::string method() const override { return "fake"; }
  [[nodiscard]] int rounds() const override { return 2; }
  std::optional<Connection> connect(const std::string& database) override {
    if (database == "refused") throw SqlError(ErrorKind::environment, "no connection", "");
    return {};
  }
  void begin_round() override { ++begun; }
  void take(Candidate& candidate) override {
    const auto& plan = plans_[std::min(taken++, plans_.size() - 1)];
    candidate.begin = plan.begin;
    candidate.end = plan.end;
    candidate.snapshot = *parse_transaction_snapshot(plan.snapshot);
    candidate.known_exact = plan.known_exact;
    candidate.locks = plan.locks;
  }
  std::string end_round(Lsn end) override {
    ended_at = end;
    return "it may not switch WAL";
  }
  [[nodiscard]] std::chrono::milliseconds poll_interval() const override { return 1ms; }
  bool may_be_archived() override { return true; }
  [[nodiscard]] bool reported_as_archived() const override { return reported; }
  [[nodiscard]] std::optional<Lsn> position_of(const Candidate& candidate,
                                               const Commits& commits) const override {
    return find_cut(candidate.snapshot, commits, candidate.end);
  }
  [[nodiscard]] std::string explanation(const Candidate& /*candidate*/) const override {
    return "planned";
  }

  bool reported = false;
  int begun = 0;
  std::size_t taken = 0;
  std::optional<Lsn> ended_at;

 private:
  Plans plans_;
};

SnapshotRequest request_with(const Commits& commits) {
  return {.databases = {"shop"},
          .read_commits = [commits](Timeline, Lsn, Lsn, const std::stop_token&) {
            return std::optional(commits);
          }};
}

TEST(SnapshotSearch, KeepsASnapshotBetweenTwoCommits) {
  FakeStrategy strategy(Plans{{.begin = {100}, .end = {500}, .snapshot = "10:20:11"},
                              {.begin = {100}, .end = {600}, .snapshot = "10:20:12"}});
  const auto attempt = search_snapshots(strategy, 1, request_with({{11, {200}}, {12, {300}}}), {});
  ASSERT_TRUE(attempt.taken.contains("shop"));
  const auto& facts = attempt.taken.at("shop").facts;
  EXPECT_TRUE(facts.exact);
  EXPECT_EQ(facts.method, "fake");
  EXPECT_EQ(facts.explanation, "planned");
  EXPECT_EQ(facts.lsn, Lsn{300});
  EXPECT_EQ(strategy.ended_at, Lsn{600});
}

TEST(SnapshotSearch, PrefersTheSnapshotWithFewestLocks) {
  FakeStrategy strategy(
      Plans{{.end = {400}, .locks = 1}, {.end = {500}}, {.end = {600}, .locks = 2}});
  const auto attempt = search_snapshots(strategy, 1, request_with({}), {});
  EXPECT_EQ(attempt.taken.at("shop").facts.lsn, Lsn{500});
}

TEST(SnapshotSearch, GivesUpAfterTheLastRoundWithoutAnExactSnapshot) {
  FakeStrategy strategy(Plans{{.end = {500}, .snapshot = "10:20:11"}});
  const auto attempt = search_snapshots(strategy, 1, request_with({{11, {200}}, {12, {300}}}), {});
  EXPECT_TRUE(attempt.taken.empty());
  EXPECT_EQ(strategy.begun, 2);
  EXPECT_EQ(attempt.reasons.at("shop"), "none of 16 snapshots fell between two commits");
}

TEST(SnapshotSearch, ReadsNoArchiveForASnapshotKnownToBeExact) {
  FakeStrategy strategy(Plans{{.begin = {100}, .end = {101}, .known_exact = true}});
  const auto attempt = search_snapshots(strategy, 1, {.databases = {"shop"}}, {});
  EXPECT_EQ(attempt.taken.at("shop").facts.lsn, Lsn{100});
  EXPECT_FALSE(strategy.ended_at);
}

TEST(SnapshotSearch, NeedsTheArchiveForAnyOtherSnapshot) {
  FakeStrategy strategy(Plans{{.begin = {100}, .end = {200}}});
  const auto attempt = search_snapshots(strategy, 1, {.databases = {"shop"}}, {});
  EXPECT_EQ(attempt.reasons.at("shop"), "the WAL archive is needed to evaluate snapshots");
}

TEST(SnapshotSearch, DoesNotWaitForWalThatTheServerReportsAsArchived) {
  FakeStrategy strategy(Plans{{.begin = {100}, .end = {200}}});
  strategy.reported = true;
  const auto began = std::chrono::steady_clock::now();
  const auto attempt = search_snapshots(
      strategy, 1,
      {.databases = {"shop"},
       .read_commits = [](Timeline, Lsn, Lsn, const std::stop_token&) -> std::optional<Commits> {
         return {};
       }},
      {});
  EXPECT_LT(std::chrono::steady_clock::now() - began, 30s);
  EXPECT_EQ(attempt.reasons.at("shop"),
            "the server reports the WAL up to 0/C8 as archived, and the repository does not have "
            "it");
}

TEST(SnapshotSearch, ReportsWhyTheWalWasNotArchivedInTime) {
  FakeStrategy strategy(Plans{{.end = {0x500}}});
  SnapshotRequest request{
      .databases = {"shop"},
      .budget = {.time = 0ms},
      .read_commits = [](Timeline, Lsn, Lsn, const std::stop_token&) -> std::optional<Commits> {
        return {};
      }};
  const auto attempt = search_snapshots(strategy, 1, request, {});
  EXPECT_EQ(attempt.reasons.at("shop"),
            "the WAL up to 0/500 was not archived within 0ms; it may not switch WAL");
}

TEST(SnapshotSearch, AnUnreadableArchiveMakesTheSnapshotInexact) {
  FakeStrategy strategy(Plans{{.end = {500}}});
  SnapshotRequest request{
      .databases = {"shop"},
      .read_commits = [](Timeline, Lsn, Lsn, const std::stop_token&) -> std::optional<Commits> {
        throw Error(ErrorKind::environment, "no archive");
      }};
  const auto attempt = search_snapshots(strategy, 1, request, {});
  EXPECT_EQ(attempt.reasons.at("shop"), "snapshots could not be evaluated: no archive");
}

TEST(SnapshotSearch, ADatabaseThatRefusesConnectionsDoesNotStopTheOthers) {
  FakeStrategy strategy(Plans{{.end = {500}}});
  auto request = request_with({});
  request.databases = {"refused", "shop"};
  const auto attempt = search_snapshots(strategy, 1, request, {});
  EXPECT_EQ(attempt.reasons.at("refused"), "no connection");
  EXPECT_TRUE(attempt.taken.contains("shop"));
}

TEST(SnapshotSearch, StopsWhenInterrupted) {
  FakeStrategy strategy(Plans{{.end = {500}}});
  std::stop_source source;
  source.request_stop();
  EXPECT_THROW(search_snapshots(strategy, 1, request_with({}), source.get_token()), Error);
}

}  // namespace
}  // namespace pgrehearse
