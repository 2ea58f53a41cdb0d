#include "harness/cli/signal_watch.hpp"

#include <spdlog/spdlog.h>

#include <csignal>
#include <string_view>

namespace pgrehearse {

namespace {

// Wakes the watching thread; ignored when sent from outside.
constexpr int wake_up = SIGUSR1;

std::string_view cause_of(int signal) {
  switch (signal) {
    case SIGINT:
      return "interrupted (Ctrl-C)";
    case SIGHUP:
      return "terminal closed";
    default:
      return "received SIGTERM";
  }
}

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

SignalWatch::HangupAction::HangupAction(SignalWatch& watch, std::function<void()> action)
    : watch_(watch) {
  const std::scoped_lock lock(watch_.mutex_);
  watch_.on_hangup_ = std::move(action);
}

SignalWatch::HangupAction::~HangupAction() {
  const std::scoped_lock lock(watch_.mutex_);
  watch_.on_hangup_ = nullptr;
}

void SignalWatch::wait(const std::stop_token& over) {
  while (true) {
    int signal = 0;
    sigwait(&watched_, &signal);
    if (over.stop_requested()) return;
    if (signal == wake_up) continue;
    const std::scoped_lock lock(mutex_);
    if (signal == SIGHUP && on_hangup_) {
      on_hangup_();
      continue;
    }
    if (source_.request_stop()) {
      spdlog::warn("{}; {}", cause_of(signal), on_hangup_ ? "stopping" : "cleaning up");
    } else {
      spdlog::warn("already {}", on_hangup_ ? "stopping" : "cleaning up");
    }
  }
}

}  // namespace pgrehearse
