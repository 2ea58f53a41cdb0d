#include "harness/cli/signal_watch.hpp"

#include <spdlog/spdlog.h>

#include <csignal>

namespace pgrehearse {

SignalWatch::SignalWatch() {
  sigemptyset(&watched_);
  sigaddset(&watched_, SIGINT);
  sigaddset(&watched_, SIGTERM);
  sigaddset(&watched_, SIGHUP);
  sigset_t blocked = watched_;
  sigaddset(&blocked, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &blocked, &mask_before_);
  thread_ = std::jthread([this](const std::stop_token& over) { wait(over); });
}

SignalWatch::~SignalWatch() {
  thread_.request_stop();
  // Sent to the waiting thread alone, which has it blocked: it only ends the wait.
  pthread_kill(thread_.native_handle(), SIGTERM);
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

void SignalWatch::wait(const std::stop_token& over) {
  while (true) {
    int signal = 0;
    sigwait(&watched_, &signal);
    if (over.stop_requested()) return;
    if (source_.request_stop()) {
      spdlog::warn("interrupted by {}: ending the work and cleaning up", strsignal(signal));
    } else {
      spdlog::warn("already cleaning up");
    }
  }
}

}  // namespace pgrehearse
