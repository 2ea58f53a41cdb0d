// SIGINT, SIGTERM and SIGHUP become a stop request.
#pragma once

#include <signal.h>

#include <stop_token>
#include <thread>

namespace pgrehearse {

// While it lives the signals are blocked in the calling thread and in every thread started from it,
// and one thread of its own waits for them; create it before any other thread. SIGPIPE is blocked
// as well: a closed pipe must not kill a drill. Child processes must reset their mask.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  void wait(const std::stop_token& over);

  sigset_t watched_{};
  sigset_t mask_before_{};
  std::stop_source source_;
  std::jthread thread_;
};

}  // namespace pgrehearse
