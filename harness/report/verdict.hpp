// Verdicts and exit codes. No evidence is never a pass.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "harness/common/error.hpp"

namespace pgrehearse {

enum class Verdict { pass, fail, unknown, skipped };

std::string_view name_of(Verdict verdict);
std::optional<Verdict> parse_verdict(std::string_view name);

// fail > unknown > pass; skipped does not count. Unknown if nothing passed.
Verdict worst_of(std::span<const Verdict> verdicts);

// fail or unknown; nullopt for usage and internal, which give no verdict.
std::optional<Verdict> verdict_of(ErrorKind kind);

enum class ExitCode : int {
  pass = 0,
  fail = 1,
  unknown = 2,
  usage = 3,
  internal = 4,
  interrupted = 130
};

ExitCode exit_code_of(Verdict verdict);
ExitCode exit_code_of(ErrorKind kind);

}  // namespace pgrehearse
