#include "tests/drills/live_drill.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>
#include <string_view>
#include <vector>

extern char** environ;

namespace pgrehearse {

LiveDrill::LiveDrill(const std::string& scenario, const std::string& state) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  std::vector<std::string> words{PGREHEARSE_BINARY, "run", scenario, "--state", state};
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  const int failure =
      posix_spawn(&pid_, PGREHEARSE_BINARY, &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  lines_ = fdopen(ends[0], "r");
  if (failure != 0) throw std::runtime_error("posix_spawn");
}

LiveDrill::~LiveDrill() {
  if (pid_ > 0) {
    resume();
    end(SIGKILL);
  }
  if (lines_ != nullptr) std::fclose(lines_);
}

bool LiveDrill::wait_for(const std::string& text) {
  std::array<char, 4096> line{};
  while (std::fgets(line.data(), static_cast<int>(line.size()), lines_) != nullptr) {
    seen_ += line.data();
    if (std::string_view(line.data()).find(text) != std::string_view::npos) return true;
  }
  return false;
}

int LiveDrill::end(int signal) {
  if (signal != 0) kill(pid_, signal);
  wait_for("no line is like this");
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace pgrehearse
