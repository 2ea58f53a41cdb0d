// `pgrehearse run` as a child process, with waiting for its progress lines.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <cstdio>
#include <string>

namespace pgrehearse {

class LiveDrill {
 public:
  LiveDrill(const std::string& scenario, const std::string& state);
  LiveDrill(const LiveDrill&) = delete;
  LiveDrill& operator=(const LiveDrill&) = delete;
  // Kills the drill if it is still running.
  ~LiveDrill();

  // Reads until a line contains `text`; false if the drill ended without one.
  bool wait_for(const std::string& text);
  // Sends `signal` (0: none) and waits for the end. Returns the exit code, or minus the signal that
  // ended the drill.
  int end(int signal);

  // Stops the process until resume().
  void pause() const { kill(pid_, SIGSTOP); }
  void resume() const { kill(pid_, SIGCONT); }

  [[nodiscard]] const std::string& seen() const { return seen_; }

 private:
  pid_t pid_ = -1;
  FILE* lines_ = nullptr;
  std::string seen_;
};

}  // namespace pgrehearse
