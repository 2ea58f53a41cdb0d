#include "harness/sandbox/shared/image_binaries.hpp"

#include <gtest/gtest.h>

#include <map>

namespace pgrehearse {
namespace {

// An image with PostgreSQL in some directories.
std::optional<std::filesystem::path> find(int major, const std::map<std::string, int>& installed) {
  return find_image_binaries({.postgres_major = major}, [&](const Command& command) {
    const auto found = installed.find(command.program);
    if (found == installed.end()) {
      throw Error(ErrorKind::environment, "no such program", {}, FindingCode::env_binary);
    }
    return CommandResult{.output = "postgres (PostgreSQL) " + std::to_string(found->second) +
                                   ".2 (Debian)\n"};
  });
}

TEST(ImageBinaries, TheDirectoryWithTheMajorVersionIsFound) {
  const std::map<std::string, int> installed{{"/usr/local/bin/postgres", 14},
                                             {"/usr/bin/postgres", 15}};
  EXPECT_EQ(find(15, installed), "/usr/bin");
  EXPECT_EQ(find(16, installed), std::nullopt);
  EXPECT_EQ(find(0, installed), "/usr/local/bin") << "any version";
}

TEST(ImageBinaries, AContainerThatHasFailedIsNotAMissingBinary) {
  const auto fails = [](const Command&) -> CommandResult {
    throw Error(ErrorKind::environment, "the container exited", {}, FindingCode::env_container);
  };
  EXPECT_THROW(find_image_binaries({.postgres_major = 15}, fails), Error);
}

TEST(ImageBinaries, OnlyTheConfiguredDirectoryIsSearched) {
  SandboxSpec spec{.postgres_major = 15};
  spec.binaries = "/opt/pg/bin";
  EXPECT_EQ(binary_directories(spec), std::vector<std::string>{"/opt/pg/bin"});
  EXPECT_STREQ(missing_binaries(spec, "i:1").what(),
               "the image i:1 has no PostgreSQL 15 binaries in /opt/pg/bin");
}

TEST(ImageBinaries, MajorVersionOfTheOutput) {
  EXPECT_EQ(postgres_major_in("postgres (PostgreSQL) 17.0\n"), 17);
  EXPECT_EQ(postgres_major_in("command not found"), 0);
}

}  // namespace
}  // namespace pgrehearse
