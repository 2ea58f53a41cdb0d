#include "harness/drill/recovery/sandbox_proof.hpp"

#include <fmt/format.h>

#include "harness/drill/recovery/recovery_failure.hpp"
#include "harness/process/command.hpp"
#include "harness/sandbox/instance.hpp"

namespace pgrehearse {

namespace {

Error cannot_start(const std::string& why) {
  if (why.find("No space left on device") != std::string::npos) {
    return {ErrorKind::environment, "the sandbox's file system is full: " + why,
            "free disk space for the sandbox, or set sandbox.directory",
            FindingCode::env_disk_full};
  }
  return {ErrorKind::environment, "this sandbox cannot start even a new, empty cluster: " + why,
          "the backup is not the cause; see logs/postgresql-fresh.log in the run directory",
          FindingCode::env_sandbox};
}

}  // namespace

void prove_sandbox_can_start(Sandbox& sandbox, const ControlData& control,
                             const std::filesystem::path& log, std::stop_token stop) {
  const auto data = sandbox.paths().temporary / "fresh";
  const auto made = sandbox.run(
      {.program = sandbox.program("initdb"),
       .arguments = {"-D", data.string(), "-U", sandbox.spec().superuser, "-N", "--auth=peer"},
       .timeout = std::chrono::minutes(5)},
      stop);
  throw_if_cancelled(made);
  if (!made.succeeded()) throw cannot_start(made.error_output);
  Instance fresh(sandbox, log);
  fresh.start(make_quarantine({.major = sandbox.spec().postgres_major,
                               .data = data,
                               .configuration = sandbox.paths().configuration,
                               .sockets = sandbox.paths().sockets,
                               .temporary = sandbox.paths().temporary,
                               .superuser = sandbox.spec().superuser,
                               .accounts = {sandbox.spec().account},
                               .control = control,
                               .memory = sandbox.memory(),
                               .cpus = sandbox.cpus()}));
  if (!fresh.wait_until_accepting(std::chrono::minutes(2), stop)) {
    const auto lines = decisive_lines(fresh.log_lines(), 1);
    throw cannot_start(lines.empty() ? "it does not accept connections" : lines.front());
  }
}

}  // namespace pgrehearse
