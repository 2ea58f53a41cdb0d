#include "harness/repository/placeholder_cluster.hpp"

#include <fmt/format.h>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/postgres/placeholder_control_file.hpp"
#include "harness/process/command.hpp"

namespace pgrehearse {

void make_placeholder_cluster(Sandbox& sandbox, const Backup& backup,
                              const std::filesystem::path& data, const std::stop_token& stop) {
  const auto run = [&](std::string program, std::vector<std::string> arguments) {
    const auto result = sandbox.run({.program = std::move(program),
                                     .arguments = std::move(arguments),
                                     .timeout = std::chrono::minutes(2)},
                                    stop);
    throw_if_cancelled(result);
    if (result.succeeded()) return;
    throw Error(ErrorKind::environment,
                fmt::format("cannot create a placeholder data directory: {}",
                            trim(std::string_view(result.error_output).substr(0, 300))));
  };
  const auto control = data / "global" / "pg_control";
  run("mkdir", {"-p", data / "global", data / "pg_wal" / "archive_status"});
  sandbox.write_file(data / "PG_VERSION", backup.postgres_version + "\n");
  sandbox.write_file(control, "");
  run(sandbox.program("pg_resetwal"), {"-f", "-D", data});
  const auto named = with_system_identifier(sandbox.read_file(control), backup.system_identifier);
  if (!named) throw Error(ErrorKind::environment, "pg_resetwal wrote no control file");
  sandbox.write_file(control, *named);
}

}  // namespace pgrehearse
