#include "tests/unit/repository/wal_layouts.hpp"

namespace pgrehearse {
namespace {

ArchiveListing twice() {
  auto archive = listing({{1, 3, 9}});
  archive.segments.push_back(archived(1, 6, 16 * mib, 'b'));
  return archive;
}

ArchiveListing same() {
  auto archive = listing({{1, 3, 9}});
  archive.segments.push_back(archived(1, 6, 16 * mib));
  return archive;
}

ArchiveListing empty() {
  auto archive = listing({{1, 3, 9}});
  archive.segments[1].size = Bytes{0};
  return archive;
}

ArchiveListing raw(std::uint64_t bytes = 16 * mib) {
  auto archive = listing({{1, 3, 9}});
  for (auto& file : archive.segments) {
    file.file.erase(file.file.rfind('.'));
    file.size = Bytes{bytes};
  }
  return archive;
}

ArchiveListing truncated() {
  auto archive = raw();
  archive.segments[4].size = Bytes{16 * mib - 1};
  return archive;
}

ArchiveListing encrypted() { return raw(16 * mib + 32); }

LineageRequest encrypted_request() {
  auto request = backup_from(3, 4);
  request.encrypted = true;
  return request;
}

ArchiveListing partial() {
  auto archive = listing({{1, 3, 7}, {1, 9, 9}});
  archive.segments.push_back(archived(1, 8, 16 * mib));
  archive.segments.back().file.insert(24, ".partial");
  return archive;
}

const std::vector<ArchiveLayout> damaged{
    {.name = "duplicate_with_other_content",
     .archive = twice(),
     .request = backup_from(3, 4),
     .required = {{1, 3, 9}},
     .problems = {LineageProblemKind::duplicate},
     .continuous = false,
     .last_reachable = WalSegment{1, 5},
     .archive_end_segment = 10},
    {.name = "duplicate_with_the_same_content",
     .archive = same(),
     .request = backup_from(3, 4),
     .required = {{1, 3, 9}},
     .last_reachable = WalSegment{1, 9},
     .archive_end_segment = 10},
    {.name = "empty_file_within_the_backup",
     .archive = empty(),
     .request = backup_from(3, 4),
     .required = {{1, 3, 9}},
     .problems = {LineageProblemKind::wrong_size},
     .continuous = false,
     .backup_complete = false,
     .last_reachable = WalSegment{1, 3},
     .archive_end_segment = 10},
    {.name = "uncompressed",
     .archive = raw(),
     .request = backup_from(3, 4),
     .required = {{1, 3, 9}},
     .last_reachable = WalSegment{1, 9},
     .archive_end_segment = 10},
    {.name = "uncompressed_and_truncated",
     .archive = truncated(),
     .request = backup_from(3, 4),
     .required = {{1, 3, 9}},
     .problems = {LineageProblemKind::wrong_size},
     .continuous = false,
     .last_reachable = WalSegment{1, 6},
     .archive_end_segment = 10},
    {.name = "uncompressed_and_encrypted",
     .archive = encrypted(),
     .request = encrypted_request(),
     .required = {{1, 3, 9}},
     .last_reachable = WalSegment{1, 9},
     .archive_end_segment = 10},
    {.name = "partial_segment_does_not_count",
     .archive = partial(),
     .request = backup_from(3, 4),
     .required = {{1, 3, 9}},
     .gaps = {{1, 8, 8}},
     .continuous = false,
     .last_reachable = WalSegment{1, 7},
     .archive_end_segment = 10},
};

class DamageLayout : public Layout {};

TEST_P(DamageLayout, IsTraced) { expect_traced(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Damaged, DamageLayout, testing::ValuesIn(damaged), layout_name);

}  // namespace
}  // namespace pgrehearse
