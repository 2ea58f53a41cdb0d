// The meaning of pgBackRest's exit codes (build/error.yaml of pgBackRest, 25 to 125). They classify
// a failure without parsing its text.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "harness/common/error.hpp"
#include "harness/process/command.hpp"

namespace pgrehearse {

struct ExitCodeMeaning {
  int code = 0;
  std::string_view name;  // pgBackRest's own: "checksum"; its error type is "ChecksumError"
  // `repository`: the stored data is the cause; `environment`: it is not.
  ErrorKind kind = ErrorKind::repository;
  FindingCode finding = FindingCode::none;
  std::string_view meaning;
  std::string_view advice;
};

std::span<const ExitCodeMeaning> pgbackrest_exit_codes();
// nullptr for a code that is not in the table.
const ExitCodeMeaning* find_exit_code(int code);
// By the error type in messages ("HostConnectError"); nullptr when unknown.
const ExitCodeMeaning* find_error_type(std::string_view type);

// The Error for a failed command: what was attempted ("restore of backup X"), the tool's error, the
// file that it names, and what to do. `damage`: the kind if the stored data is the cause,
// repository or restore.
Error error_of(const CommandResult& result, std::string_view attempt, ErrorKind damage);

// The Error for a repository that `info` reports as unusable (status code 99 "other"); `message`:
// "[HostConnectError] unable to ...".
Error error_of_status(std::string_view message, std::string_view attempt);

}  // namespace pgrehearse
