// What every kind of sandbox promises (harness/sandbox/sandbox.hpp) without running commands; the
// fake of the unit tests keeps the same promises.
#include <gmock/gmock.h>

#include "harness/common/error.hpp"
#include "tests/contract/provisioner_fixture.hpp"

namespace pgrehearse {
namespace {

using testing::IsEmpty;

class SandboxPromises : public ProvisionerContract {};

TEST_P(SandboxPromises, FilesAreReplacedAndReadFromAnOffset) {
  const auto sandbox = create("drill-1");
  const auto file = sandbox->paths().configuration / "postgresql.conf";
  sandbox->write_file(file, "fsync = on\n");
  sandbox->write_file(file, "fsync = off\n", 0640);
  EXPECT_EQ(sandbox->read_file(file), "fsync = off\n");
  EXPECT_EQ(sandbox->read_file(file, 8), "off\n");
  EXPECT_EQ(sandbox->read_file(file, 800), "");
  EXPECT_EQ(sandbox->read_file(file.parent_path() / "none"), "");
  EXPECT_EQ(sandbox->size_of(file).count, 12U);
  EXPECT_EQ(sandbox->size_of(file.parent_path() / "none").count, 0U);
}

TEST_P(SandboxPromises, AFileOfAnotherSandboxIsMovedOrStaysWhereItIs) {
  const auto sandbox = create("drill-1");
  const auto other = create("drill-2");
  const auto file = other->paths().wal / "000000010000000000000002";
  const auto to = sandbox->paths().wal / "segment";
  other->write_file(file, "WAL");
  if (sandbox->take_file(*other, file, to)) {
    EXPECT_EQ(sandbox->read_file(to), "WAL");
    EXPECT_EQ(other->read_file(file), "");
  } else {
    EXPECT_EQ(other->read_file(file), "WAL");
    EXPECT_EQ(sandbox->read_file(to), "");
  }
  EXPECT_FALSE(sandbox->take_file(*other, other->paths().wal / "none", to));
  if (std::string_view(GetParam().name) == "local") {
    EXPECT_EQ(sandbox->read_file(to), "WAL") << "a local sandbox can move files";
  }
}

TEST_P(SandboxPromises, ItHasMemoryCpusSpaceAndAServerAddress) {
  const auto sandbox = create("drill-1");
  EXPECT_GT(sandbox->memory().count, std::uint64_t{16} << 20U);
  EXPECT_GE(sandbox->cpus(), 1);
  EXPECT_GT(sandbox->free_space().count, 0U);
  EXPECT_EQ(sandbox->server().at("host"), sandbox->paths().sockets);
  EXPECT_EQ(sandbox->server().at("user"), "postgres");
  EXPECT_EQ(sandbox->spec().run_id, "drill-1");
}

TEST_P(SandboxPromises, ARunningDrillIsListedAsAliveAndCannotBeRemoved) {
  const auto sandbox = create("drill-1");
  const auto all = provisioner_->list();
  const auto* listed = find(all, "drill-1");
  ASSERT_NE(listed, nullptr);
  EXPECT_TRUE(listed->alive);
  EXPECT_FALSE(listed->kept);
  EXPECT_EQ(listed->type, GetParam().name);
  EXPECT_EQ(listed->scenario, "contract");
  EXPECT_EQ(listed->root, sandbox->paths().root);
  EXPECT_THROW(provisioner_->remove(*listed), Error);
}

TEST_P(SandboxPromises, ASecondDestroyReturnsTheResultOfTheFirst) {
  const auto sandbox = create("drill-1");
  const auto first = sandbox->destroy();
  const auto second = sandbox->destroy();
  EXPECT_TRUE(second.complete());
  EXPECT_THAT(first.removed, testing::Not(IsEmpty()));
  EXPECT_EQ(first.removed, second.removed);
  EXPECT_THAT(provisioner_->list(), IsEmpty());
}

TEST_P(SandboxPromises, TheDestructorDestroysWhatIsNotKept) {
  create("drill-1");
  EXPECT_THAT(provisioner_->list(), IsEmpty());
}

TEST_P(SandboxPromises, AKeptSandboxIsListedUntilItIsRemoved) {
  create("drill-1")->keep();
  const auto all = provisioner_->list();
  const auto* kept = find(all, "drill-1");
  ASSERT_NE(kept, nullptr);
  EXPECT_TRUE(kept->kept);
  EXPECT_FALSE(kept->alive);
  EXPECT_TRUE(provisioner_->remove(*kept).complete());
  EXPECT_THAT(provisioner_->list(), IsEmpty());
}

TEST_P(SandboxPromises, ARunIdInUseIsRejectedAndItsSandboxRemains) {
  const auto sandbox = create("drill-1");
  EXPECT_THROW(create("drill-1"), Error);
  const auto all = provisioner_->list();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all[0].alive);
}

TEST_P(SandboxPromises, NothingRemainsAfterAStopRequestDuringCreation) {
  std::stop_source stop;
  stop.request_stop();
  try {
    provisioner_->create(spec("drill-1"), stop.get_token());
    FAIL() << "the sandbox was created";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
  EXPECT_THAT(provisioner_->list(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Sandboxes, SandboxPromises,
                         testing::ValuesIn(provisioner_kinds_and_fake()),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace pgrehearse
