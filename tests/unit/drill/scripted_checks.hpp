// A check table whose checks return what a test states: one check per state of the instance, and a
// second one for the paused state. Everything that depends on the interface of Check is here.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "harness/drill/check.hpp"
#include "tests/fakes/call_record.hpp"

namespace pgrehearse {

// Calls, in CallRecord's words: "check NAME". Only one object may exist at a time: a row of the
// table has no room for more than a function.
class ScriptedChecks {
 public:
  // `calls` outlives this object.
  explicit ScriptedChecks(CallRecord& calls) : calls_(calls) { current_ = this; }
  ScriptedChecks(const ScriptedChecks&) = delete;
  ScriptedChecks& operator=(const ScriptedChecks&) = delete;
  ~ScriptedChecks() { current_ = nullptr; }

  // Without one a check passes. Set before the drill starts.
  std::map<std::string_view, CheckOutcome> outcomes;

  static std::span<const CheckDescription> table() { return rows; }

 private:
  template <typename Context, std::size_t row>
  struct ScriptedCheck : CheckIn<Context> {
    CheckOutcome run(const Context& /*context*/) override {
      return current_->outcome(rows.at(row).name);
    }
  };
  template <typename Context, std::size_t row>
  static std::unique_ptr<Check> make(const Settings& /*settings*/) {
    return std::make_unique<ScriptedCheck<Context, row>>();
  }
  template <typename Context, std::size_t row>
  static constexpr CheckDescription describe(std::string_view name, InstanceState state) {
    return {
        .name = name, .summary = "", .finds = {}, .state = state, .create = &make<Context, row>};
  }

  CheckOutcome outcome(std::string_view name) {
    calls_.made("check " + std::string(name));
    const auto found = outcomes.find(name);
    return found == outcomes.end() ? CheckOutcome{.verdict = Verdict::pass} : found->second;
  }

  static inline ScriptedChecks* current_ = nullptr;
  static const std::array<CheckDescription, 5> rows;

  CallRecord& calls_;
};

inline const std::array<CheckDescription, 5> ScriptedChecks::rows = {
    describe<RepositoryContext, 0>("any", InstanceState::any),
    describe<LandedContext, 1>("paused", InstanceState::paused),
    describe<LandedContext, 2>("second", InstanceState::paused),
    describe<LandedContext, 3>("promoted", InstanceState::read_write),
    describe<StoppedContext, 4>("stopped", InstanceState::stopped)};

}  // namespace pgrehearse
