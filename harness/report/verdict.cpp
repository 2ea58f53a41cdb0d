#include "harness/report/verdict.hpp"

#include <algorithm>

namespace pgrehearse {

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::fail:
      return "fail";
    case Verdict::unknown:
      return "unknown";
    case Verdict::skipped:
      return "skipped";
  }
  return "unknown";
}

std::optional<Verdict> parse_verdict(std::string_view name) {
  for (const auto verdict : {Verdict::pass, Verdict::fail, Verdict::unknown, Verdict::skipped}) {
    if (name_of(verdict) == name) return verdict;
  }
  return {};
}

Verdict worst_of(std::span<const Verdict> verdicts) {
  const auto has = [&](Verdict wanted) {
    return std::find(verdicts.begin(), verdicts.end(), wanted) != verdicts.end();
  };
  if (has(Verdict::fail)) return Verdict::fail;
  if (has(Verdict::unknown)) return Verdict::unknown;
  return has(Verdict::pass) ? Verdict::pass : Verdict::unknown;
}

std::optional<Verdict> verdict_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::repository:
    case ErrorKind::restore:
    case ErrorKind::recovery:
    case ErrorKind::startup:
      return Verdict::fail;
    case ErrorKind::environment:
    case ErrorKind::interrupted:
      return Verdict::unknown;
    case ErrorKind::usage:
    case ErrorKind::internal:
      return {};
  }
  return {};
}

ExitCode exit_code_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return ExitCode::pass;
    case Verdict::fail:
      return ExitCode::fail;
    case Verdict::unknown:
    case Verdict::skipped:
      return ExitCode::unknown;
  }
  return ExitCode::unknown;
}

ExitCode exit_code_of(ErrorKind kind) {
  if (kind == ErrorKind::interrupted) return ExitCode::interrupted;
  if (kind == ErrorKind::usage) return ExitCode::usage;
  const auto verdict = verdict_of(kind);
  return verdict ? exit_code_of(*verdict) : ExitCode::internal;
}

}  // namespace pgrehearse
