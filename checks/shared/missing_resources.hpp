// Errors of programs in the sandbox that are no evidence against the backup.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "harness/report/report.hpp"

namespace pgrehearse {

// Replaces the code of a failure if one of the errors is about a full disk or too little memory.
inline Finding excuse_missing_resources(Finding failure, const std::vector<std::string>& errors) {
  const auto reported = [&](std::string_view text) {
    return std::ranges::any_of(errors, [&](const auto& error) {
      return std::string_view(error).find(text) != std::string_view::npos;
    });
  };
  const bool full = reported("No space left on device");
  if (!full && !reported("Cannot allocate memory") && !reported("out of memory")) return failure;
  failure.code = full ? FindingCode::env_disk_full : FindingCode::env_memory;
  failure.hint = "give the sandbox more disk space or memory; the backup is not the cause";
  return failure;
}

}  // namespace pgrehearse
