// One entry of the scenario's key `notify`.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "harness/report/verdict.hpp"
#include "harness/scenario/language/settings.hpp"

namespace pgrehearse {

enum class NotifyWhen {
  changed,  // the verdict or the cause differs from the previous drill's
  always,
  fail,  // each drill that does not pass
};

struct NotificationSpec {
  std::string channel;  // a name from the channel table
  std::string name;     // unique in the scenario; the channel's unless set
  NotifyWhen when = NotifyWhen::changed;
  std::vector<Verdict> verdicts;  // empty: all
  int attempts = 5;
  std::chrono::milliseconds timeout{std::chrono::minutes(1)};  // of all attempts together
  Settings settings;  // secrets: may contain values from the environment; never print them
};

}  // namespace pgrehearse
