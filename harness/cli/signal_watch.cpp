#include "harness/cli/signal_watch.hpp"

#include <spdlog/spdlog.h>

#include <csignal>

namespace pgrehearse {

namespace {

// Ends the wait of the watching thread; from outside it means nothing.
constexpr int wake_up = SIGUSR1;

}  // namespace

SignalWatch::SignalWatch() {
  sigemptyset(&watched_);
  sigaddset(&watched_, SIGINT);
  sigaddset(&watched_, SIGTERM);
  sigaddset(&watched_, SIGHUP);
  sigaddset(&watched_, wake_up);
  sigset_t blocked = watched_;
  sigaddset(&blocked, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &blocked, &mask_before_);
  thread_ = std::jthread([this](const std::stop_token& over) { wait(over); });
}

SignalWatch::~SignalWatch() {
  thread_.request_stop();
  pthread_kill(thread_.native_handle(), wake_up);
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

void SignalWatch::wait(const std::stop_token& over) {
  while (true) {
    int signal = 0;
    sigwait(&watched_, &signal);
    if (over.stop_requested()) return;
    if (signal == wake_up) continue;
    if (source_.request_stop()) {
      spdlog::warn("interrupted by {}: ending the work and cleaning up", strsignal(signal));
    } else {
      spdlog::warn("already cleaning up");
    }
  }
}

}  // namespace pgrehearse
