// `pgrehearse run` as a child whose progress lines can be waited for.
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
  // Kills it if it still runs.
  ~LiveDrill();

  // Reads on until a line holds `text`; false when the drill ended without one.
  bool wait_for(const std::string& text);
  // Sends `signal` (0: none) and waits for the end; the exit code, or minus the signal that ended
  // it.
  int end(int signal);

  // Stands still, alive, until it may go on.
  void pause() const { kill(pid_, SIGSTOP); }
  void resume() const { kill(pid_, SIGCONT); }

  [[nodiscard]] const std::string& seen() const { return seen_; }

 private:
  pid_t pid_ = -1;
  FILE* lines_ = nullptr;
  std::string seen_;
};

}  // namespace pgrehearse
