// The calls of all fakes, in one common order. A call can be made to fail or to run an action.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "harness/common/error.hpp"

namespace pgrehearse {

// Safe to use from several threads.
class CallRecord {
 public:
  using Action = std::function<void()>;

  // The call throws this, every time.
  void fail(const std::string& call, const Error& error) {
    on(call, [error] { throw Error(error); });
  }
  // An action that the call runs first; it may throw.
  void on(const std::string& call, Action action) {
    const std::lock_guard lock(mutex_);
    actions_[call] = std::move(action);
  }

  // For the fakes: records the call and runs its action.
  void made(const std::string& call) {
    Action action;
    {
      const std::lock_guard lock(mutex_);
      calls_.push_back(call);
      if (const auto found = actions_.find(call); found != actions_.end()) action = found->second;
    }
    if (action) action();
  }

  [[nodiscard]] std::vector<std::string> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  [[nodiscard]] std::ptrdiff_t count(const std::string& call) const {
    const std::lock_guard lock(mutex_);
    return std::count(calls_.begin(), calls_.end(), call);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Action> actions_;
  std::vector<std::string> calls_;
};

}  // namespace pgrehearse
