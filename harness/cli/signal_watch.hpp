// Turns SIGINT, SIGTERM and SIGHUP into a stop request.
#pragma once

#include <signal.h>

#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace pgrehearse {

// Blocks the signals in the calling thread and every thread started later, and waits for them in a
// thread of its own. Create it before any other thread. SIGPIPE is blocked as well: a closed pipe
// must not kill a drill. Child processes must reset their signal mask.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

  // While it exists, SIGHUP calls `action`, in the thread of the watch, instead of stopping.
  class HangupAction {
   public:
    HangupAction(SignalWatch& watch, std::function<void()> action);
    HangupAction(const HangupAction&) = delete;
    HangupAction& operator=(const HangupAction&) = delete;
    ~HangupAction();

   private:
    SignalWatch& watch_;
  };

 private:
  void wait(const std::stop_token& over);

  sigset_t watched_{};
  sigset_t mask_before_{};
  std::stop_source source_;
  std::mutex mutex_;
  std::function<void()> on_hangup_;  // guarded by mutex_
  std::jthread thread_;
};

}  // namespace pgrehearse
