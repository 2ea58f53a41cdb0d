// A CommandRunner that runs nothing: tests script the result of each command and inspect the
// commands afterwards. A command that must not be started has no script.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "harness/common/text.hpp"
#include "harness/process/command_runner.hpp"

namespace pgrehearse {

class ScriptedCommandRunner : public CommandRunner {
 public:
  using Answer = std::function<CommandResult(const Command&)>;

  static CommandResult success(std::string output = {}, std::string error_output = {}) {
    return {.exit_code = 0, .output = std::move(output), .error_output = std::move(error_output)};
  }
  static CommandResult failure(int exit_code, std::string error_output, std::string output = {}) {
    return {.exit_code = exit_code,
            .output = std::move(output),
            .error_output = std::move(error_output)};
  }

  // Answers commands whose program and arguments hold all of `words` (each a whole argument, or the
  // program's file name). The first rule that fits wins; a rule with several answers gives them in
  // turn and then repeats its last.
  ScriptedCommandRunner& on(std::vector<std::string> words, std::vector<CommandResult> answers) {
    return on_call(std::move(words),
                   [answers = std::move(answers), next = std::size_t{0}](const Command&) mutable {
                     const auto& answer = answers.at(next);
                     if (next + 1 < answers.size()) ++next;
                     return answer;
                   });
  }
  ScriptedCommandRunner& on(std::vector<std::string> words, CommandResult answer) {
    return on(std::move(words), std::vector<CommandResult>{std::move(answer)});
  }
  // For answers with side effects, or made from the command.
  ScriptedCommandRunner& on_call(std::vector<std::string> words, Answer answer) {
    rules_.push_back({std::move(words), std::move(answer)});
    return *this;
  }

  // Lines of the answer go to on_line, standard output first. A command that no rule fits fails the
  // test and gets exit code 127.
  CommandResult run(const Command& command, std::stop_token stop) override {
    const std::lock_guard lock(mutex_);
    commands_.push_back(command);
    if (stop.stop_requested()) return {.cancelled = true};
    for (auto& [words, answer] : rules_) {
      if (!fits(command, words)) continue;
      auto result = answer(command);
      if (command.on_line) {
        for (const auto line : lines_of(result.output)) command.on_line(line);
        for (const auto line : lines_of(result.error_output)) command.on_line(line);
      }
      return result;
    }
    ADD_FAILURE() << "a command that the test did not script: " << to_text(command);
    return {.exit_code = 127};
  }

  [[nodiscard]] const std::vector<Command>& commands() const { return commands_; }
  // The last command, as text.
  [[nodiscard]] std::string last() const {
    return commands_.empty() ? std::string() : to_text(commands_.back());
  }

 private:
  static bool fits(const Command& command, const std::vector<std::string>& words) {
    return std::ranges::all_of(words, [&](const std::string& word) {
      return std::filesystem::path(command.program).filename() == word ||
             std::ranges::find(command.arguments, word) != command.arguments.end();
    });
  }

  std::mutex mutex_;
  std::vector<std::pair<std::vector<std::string>, Answer>> rules_;
  std::vector<Command> commands_;
};

}  // namespace pgrehearse
