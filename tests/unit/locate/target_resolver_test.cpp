#include "harness/locate/target_resolver.hpp"

#include <gtest/gtest.h>

namespace pgrehearse {
namespace {

Instant second(int at) { return Instant(std::chrono::seconds(1000 + at)); }

TransactionEnd ended(std::uint32_t xid, std::uint64_t lsn, int at, bool aborted = false) {
  return {.xid = xid, .lsn = {lsn}, .end = {lsn + 40}, .time = second(at), .aborted = aborted};
}

WalChunk chunk() {
  WalChunk made;
  made.ends = {ended(7, 1000, 1), ended(8, 2000, 2, true), ended(9, 3000, 3), ended(10, 4000, 4)};
  made.restore_points = {{.name = "x", .end = {2500}}};
  return made;
}

ResolvedTarget resolved(const RecoveryTarget& target) {
  TargetResolver resolver({target}, {500});
  resolver.take(chunk());
  return resolver.in_wal_order().front();
}

TEST(TargetResolver, StopsBeforeTheFirstTransactionAfterATime) {
  const auto found = resolved({.type = TargetType::time, .time = second(2)});
  EXPECT_EQ(found.stop, (Lsn{3000}));
  EXPECT_EQ(found.last_applied->xid, 7U) << "an abort is no last applied transaction";
  EXPECT_EQ(found.first_withheld->xid, 9U);
  const auto exclusive = resolved({.type = TargetType::time, .time = second(2), .exclusive = true});
  EXPECT_EQ(exclusive.stop, (Lsn{2000})) << "PostgreSQL stops at aborts, too";
}

TEST(TargetResolver, StopsBeforeOrAfterATransaction) {
  const auto after = resolved({.type = TargetType::xid, .xid = 9});
  EXPECT_EQ(after.stop, (Lsn{3040}));
  EXPECT_EQ(after.last_applied->xid, 9U);
  EXPECT_EQ(after.first_withheld->xid, 10U);
  const auto before = resolved({.type = TargetType::xid, .xid = 9, .exclusive = true});
  EXPECT_EQ(before.stop, (Lsn{3000}));
  EXPECT_EQ(before.last_applied->xid, 7U);
  EXPECT_EQ(before.first_withheld->xid, 9U);
}

TEST(TargetResolver, FindsNamesAndPositions) {
  EXPECT_EQ(resolved({.type = TargetType::name, .name = "x"}).stop, (Lsn{2500}));
  EXPECT_EQ(resolved({.type = TargetType::lsn, .lsn = Lsn{3500}, .exclusive = true}).stop,
            (Lsn{3500}));
  EXPECT_EQ(resolved({.type = TargetType::immediate}).stop, (Lsn{500}));
  EXPECT_FALSE(resolved({.type = TargetType::xid, .xid = 77}).stop);
}

TEST(TargetResolver, OrdersByPositionAndStopsWhenNothingIsLeft) {
  const std::vector<RecoveryTarget> targets{
      {}, {.type = TargetType::xid, .xid = 9}, {.type = TargetType::time, .time = second(1)}};
  TargetResolver resolver(targets, {500});
  EXPECT_FALSE(resolver.take(chunk()));
  const auto ordered = resolver.in_wal_order();
  EXPECT_EQ(ordered[0].stop, (Lsn{2000}));
  EXPECT_EQ(ordered[1].stop, (Lsn{3040}));
  EXPECT_EQ(ordered[2].target.type, TargetType::latest);
  TargetResolver late({{.type = TargetType::xid, .xid = 10}}, {500});
  EXPECT_TRUE(late.take(chunk())) << "what is withheld after it is in the next part";
}

}  // namespace
}  // namespace pgrehearse
