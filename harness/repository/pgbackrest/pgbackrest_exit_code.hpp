// What pgBackRest's exit codes mean for a drill: they classify a failure without reading its text
// (build/error.yaml of pgBackRest; all codes are 25 to 125).
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
  // `repository` says that what is stored is to blame; `environment` says nothing about it.
  ErrorKind kind = ErrorKind::repository;
  std::string_view finding;  // code of the page in docs/findings/
  std::string_view meaning;
  std::string_view advice;
};

std::span<const ExitCodeMeaning> pgbackrest_exit_codes();
// nullptr for a code that is not in the table.
const ExitCodeMeaning* find_exit_code(int code);
// By the type as it stands in messages ("HostConnectError"); nullptr when unknown.
const ExitCodeMeaning* find_error_type(std::string_view type);

// The Error for a command that did not succeed: what was attempted ("restore of backup set X"), the
// tool's decisive words, the file that it names, and what to do. `damage` is the kind to give where
// the stored data is to blame: repository or restore.
Error error_of(const CommandResult& result, std::string_view attempt, ErrorKind damage);

// The Error for a repository that `info` lists as unusable (status code 99 "other"): `message` is
// "[HostConnectError] unable to ...".
Error error_of_status(std::string_view message, std::string_view attempt);

}  // namespace pgrehearse
