#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <future>
#include <nlohmann/json.hpp>

#include "harness/cli/command_table.hpp"
#include "harness/cli/signal_watch.hpp"
#include "harness/common/text.hpp"
#include "harness/common/version.hpp"
#include "tests/unit/cli/run_cli.hpp"

namespace pgrehearse {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

struct Refused {
  std::vector<std::string> words;
  std::string message;
};

TEST(CommandLine, HelpWithoutCommandShowsGeneralHelp) {
  const auto result = run_cli({"help"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.output, HasSubstr("Usage: pgrehearse [OPTIONS] [COMMAND]"));
  EXPECT_THAT(result.output, HasSubstr("Exit codes: 0 pass"));
}

TEST(CommandLine, ManualPageHasEveryCommandAndNoStrayRequest) {
  const auto result = run_cli({"help", "--man"});
  EXPECT_EQ(result.exit_code, 0);
  for (const auto& row : command_table()) {
    EXPECT_THAT(result.output, HasSubstr(fmt::format("\n.SS {}\n", row.name)));
  }
  for (const auto line : lines_of(result.output)) {
    EXPECT_FALSE(line.starts_with('\'')) << line;
  }
}

TEST(CommandLine, UsageErrorsExitWithThreeAndAHint) {
  const std::vector<Refused> cases{
      {{}, "error: no command given\nhint: 'pgrehearse --help' lists the commands\n"},
      {{"vresion"}, "error: unknown command 'vresion'\nhint: did you mean 'version'?\n"},
      {{"banana"},
       "error: unknown command 'banana'\nhint: 'pgrehearse --help' lists the commands\n"},
      {{"version", "--formt=json"},
       "error: unknown option '--formt'\nhint: did you mean '--format'?\n"},
      {{"--qiet", "version"}, "error: unknown option '--qiet'\nhint: did you mean '--quiet'?\n"},
      {{"version", "again"}, "error: unexpected argument 'again'\n"},
      {{"version", "--format", "jsn"}, "'jsn' is not one of text, json; did you mean 'json'?"},
      {{"--state"}, "error: --state: 1 required DIR missing\n"},
      {{"completion"}, "error: shell is required\n"},
      {{"fingerprint"}, "error: --to is required\n"},
      {{"fingerprint", "--to", "f"}, "error: give either a scenario or --primary\n"},
      {{"fingerprint", "--to", "f", "--primary", "host=h password=p"},
       "error: --primary contains a password, which every user of this host can see\n"},
      {{"fingerprint", "--to", "f", "--primary", "host=h", "--sample", "much"},
       "error: --sample: 'much' is not a percentage\nhint: for example --sample 1%\n"},
      {{"fingerprint", "--to", "f", "--primary", "host=h", "--table", "a.b.c"},
       "error: --table: 'a.b.c' has no rule\n"},
      {{"fingerprint", "--to", "f", "--primary", "host=h", "--table", "a.b.c=none"},
       "error: comparison.tables: 'none' is not a valid rule for a.b.c\n"},
      {{"checks", "no_such_check"}, "error: unknown check 'no_such_check'\n"},
  };
  for (const auto& refused : cases) {
    const auto result = run_cli(refused.words);
    EXPECT_EQ(result.exit_code, 3) << refused.message;
    EXPECT_THAT(result.error_output, HasSubstr(refused.message));
    EXPECT_EQ(result.output, "") << refused.message;
  }
}

TEST(CommandLine, HelpOfEveryCommandEndsWithItsExamples) {
  ASSERT_FALSE(command_table().empty());
  for (const auto& command : command_table()) {
    const auto result = run_cli({std::string(command.name), "--help"});
    EXPECT_EQ(result.exit_code, 0) << command.name;
    std::string examples = "\nExamples:\n";
    for (const auto line : lines_of(command.example)) examples += fmt::format("  {}\n", line);
    ASSERT_NE(command.example, "") << command.name;
    EXPECT_THAT(result.output, EndsWith(examples));
    EXPECT_THAT(result.output, HasSubstr(std::string(command.summary)));
    EXPECT_EQ(run_cli({"help", std::string(command.name)}).output, result.output);
  }
}

TEST(CommandLine, CommonOptionsAreAcceptedBeforeAndAfterTheCommand) {
  const auto before = run_cli({"--format", "json", "version"});
  const auto after = run_cli({"version", "--format", "json"});
  EXPECT_EQ(before.exit_code, 0);
  EXPECT_EQ(before.output, after.output);
  EXPECT_EQ(nlohmann::json::parse(after.output).at("pgrehearse"), pgrehearse_version());
}

TEST(CommandLine, CompletionNamesEveryCommand) {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const auto result = run_cli({"completion", shell});
    EXPECT_EQ(result.exit_code, 0);
    for (const auto& command : command_table()) {
      EXPECT_THAT(result.output, HasSubstr(std::string(command.name))) << shell;
    }
    EXPECT_THAT(result.output, HasSubstr("log-level"));
  }
}

TEST(SignalWatch, TurnsASignalIntoAStopRequest) {
  const SignalWatch watch;
  EXPECT_FALSE(watch.token().stop_requested());
  std::promise<void> stopped;
  const std::stop_callback callback(watch.token(), [&] { stopped.set_value(); });
  kill(getpid(), SIGTERM);
  EXPECT_EQ(stopped.get_future().wait_for(std::chrono::seconds(120)), std::future_status::ready);
  EXPECT_TRUE(watch.token().stop_requested());
}

TEST(SignalWatch, RestoresTheSignalMask) {
  sigset_t before;
  sigset_t after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  {
    const SignalWatch watch;
    sigset_t during;
    pthread_sigmask(SIG_SETMASK, nullptr, &during);
    EXPECT_EQ(sigismember(&during, SIGTERM), 1);
    EXPECT_EQ(sigismember(&during, SIGPIPE), 1);
  }
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
}

// Names of files and messages of servers come from others.
TEST(CommandLine, MessagesCannotControlTheTerminal) {
  const auto run = run_cli({"report", "\x1b[2Jx\u202e", "--state", "/nonexistent"});
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_EQ(run.error_output.find('\x1b'), std::string::npos);
  EXPECT_NE(run.error_output.find("\\x1b[2Jx\\u202e"), std::string::npos) << run.error_output;
}

}  // namespace
}  // namespace pgrehearse
