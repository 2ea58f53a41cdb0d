#include "tests/fakes/scripted_command_runner.hpp"

#include <gtest/gtest-spi.h>

namespace pgrehearse {
namespace {

TEST(ScriptedCommandRunner, AnswersInTurnAndRepeatsTheLast) {
  ScriptedCommandRunner runner;
  runner.on({"tool", "ask"},
            {ScriptedCommandRunner::failure(1, "no\n"), ScriptedCommandRunner::success("yes\n")});
  const Command command{.program = "/usr/bin/tool", .arguments = {"--quiet", "ask"}};
  EXPECT_EQ(runner.run(command, {}).exit_code, 1);
  EXPECT_EQ(runner.run(command, {}).output, "yes\n");
  EXPECT_EQ(runner.run(command, {}).output, "yes\n");
  EXPECT_EQ(runner.commands().size(), 3U);
  EXPECT_EQ(runner.last(), "/usr/bin/tool --quiet ask");
}

TEST(ScriptedCommandRunner, StreamsLinesAndMatchesWholeWordsOnly) {
  ScriptedCommandRunner runner;
  runner.on({"ask"}, ScriptedCommandRunner::success("a\nb\n", "c\n"));
  std::string seen;
  const Command command{
      .program = "tool", .arguments = {"ask"}, .on_line = [&](auto line) { seen += line; }};
  EXPECT_TRUE(runner.run(command, {}).succeeded());
  EXPECT_EQ(seen, "abc");
  EXPECT_NONFATAL_FAILURE(runner.run({.program = "tool", .arguments = {"asking"}}, {}),
                          "tool asking");
}

}  // namespace
}  // namespace pgrehearse
