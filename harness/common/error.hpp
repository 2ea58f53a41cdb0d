// The one exception type of the harness. A bad backup is a result with findings, not an exception:
// an Error means "cannot continue", and its kind decides the verdict of the drill.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "harness/common/finding_code.hpp"

namespace pgrehearse {

// What failed. verdict_of() in report/verdict.hpp maps it to a verdict.
enum class ErrorKind {
  repository,   // the backup or the archive is damaged, missing or unusable
  restore,      // the backup tool could not restore a backup that it lists
  recovery,     // PostgreSQL could not replay to the target
  startup,      // the restored cluster does not start although the sandbox can start a fresh one
  environment,  // disk full, no binaries, lock held, host unreachable: no evidence about the backup
  interrupted,  // SIGINT, SIGTERM or --timeout
  usage,        // the command line or the scenario is wrong
  internal,     // a bug in pgrehearse
};

std::string_view name_of(ErrorKind kind);

// Messages are lower case without a full stop. The hint states the next step and may be empty.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message, std::string hint = {},
        FindingCode code = FindingCode::none, std::string object = {});

  [[nodiscard]] ErrorKind kind() const { return kind_; }
  [[nodiscard]] const std::string& hint() const { return hint_; }
  [[nodiscard]] FindingCode code() const { return code_; }
  // The file, segment, relation or setting concerned; empty when there is none.
  [[nodiscard]] const std::string& object() const { return object_; }

 private:
  ErrorKind kind_;
  std::string hint_;
  FindingCode code_ = FindingCode::none;
  std::string object_;
};

}  // namespace pgrehearse
