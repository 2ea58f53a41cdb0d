#include "checks/patroni/restored_copy.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/common/text.hpp"
#include "harness/postgres/database_names.hpp"
#include "harness/process/command.hpp"

namespace pgrehearse {

namespace {

constexpr auto longest_copy = std::chrono::hours(24);

CommandResult run(Sandbox& sandbox, std::vector<std::string> words, const std::stop_token& stop) {
  auto result = sandbox.run({.program = words.front(),
                             .arguments = {words.begin() + 1, words.end()},
                             .timeout = longest_copy},
                            stop);
  throw_if_cancelled(result);
  return result;
}

void require(const CommandResult& result, const std::filesystem::path& object) {
  if (result.succeeded()) return;
  constexpr std::size_t longest = 300;
  throw Error(ErrorKind::environment,
              fmt::format("the restored data directory cannot be copied: {}",
                          trim(result.error_output.substr(0, longest))),
              "", FindingCode::env_file, object.string());
}

void require_space(Sandbox& sandbox, std::uint64_t needed) {
  // WAL of both members.
  constexpr std::uint64_t reserve = std::uint64_t{512} << 20U;
  const auto free = sandbox.free_space();
  if (free.count >= needed + reserve) return;
  throw Error(ErrorKind::environment,
              fmt::format("the new cluster needs {} on the disk of the sandbox, {} are free",
                          to_text(Bytes{needed + reserve}), to_text(free)),
              "set sandbox.directory to a larger disk; on xfs and btrfs one of the two copies "
              "shares the space of the restored data",
              FindingCode::env_disk_full, sandbox.paths().root.string());
}

}  // namespace

std::vector<std::string> copy_restored(Sandbox& sandbox, const NewCluster& cluster,
                                       const std::stop_token& stop) {
  const auto& paths = sandbox.paths();
  const auto& tablespaces = cluster.first().tablespaces;
  const auto size = sandbox.size_of(paths.data).count + sandbox.size_of(paths.tablespaces).count;
  const auto copy = [&](const char* how, const std::filesystem::path& from,
                        const std::filesystem::path& to) {
    return run(sandbox, {"cp", "-aT", how, from.string(), to.string()}, stop);
  };
  // Where the file system can share the files' space, only the second member needs more.
  require_space(sandbox, size);
  if (!copy("--reflink=always", paths.data, cluster.restored).succeeded()) {
    run(sandbox, {"rm", "-rf", cluster.restored.string()}, stop);
    require_space(sandbox, 2 * size);
    require(copy("--reflink=auto", paths.data, cluster.restored), paths.data);
  }
  require(copy("--reflink=auto", paths.tablespaces, tablespaces), paths.tablespaces);
  std::vector<std::string> removal{"rm", "-f"};
  for (const auto* file : {"postmaster.pid", "postmaster.opts", "standby.signal", "recovery.signal",
                           "postgresql.conf", "postgresql.base.conf", "patroni.dynamic.json"}) {
    removal.push_back((cluster.restored / file).string());
  }
  require(run(sandbox, std::move(removal), stop), cluster.restored);
  sandbox.write_file(cluster.restored / "postgresql.auto.conf", "");
  const auto links = run(sandbox,
                         {"find", (cluster.restored / "pg_tblspc").string(), "-mindepth", "1",
                          "-maxdepth", "1", "-type", "l", "-printf", "%f %l\\n"},
                         stop);
  require(links, "pg_tblspc");
  require(
      run(sandbox, {"ln", "-s", tablespaces.string(), cluster.short_tablespaces.string()}, stop),
      cluster.short_tablespaces);
  std::vector<std::string> names;
  for (const auto line : lines_of(links.output)) {
    const auto space = line.find(' ');
    if (space == std::string_view::npos) continue;
    const auto link = cluster.restored / "pg_tblspc" / line.substr(0, space);
    const auto copied = tablespaces / std::filesystem::path(line.substr(space + 1)).filename();
    names.push_back(std::to_string(names.size()));
    const auto& name = names.back();
    require(run(sandbox, {"mv", "-T", copied.string(), (tablespaces / name).string()}, stop), link);
    const auto target = (cluster.short_tablespaces / name).string();
    require(run(sandbox, {"ln", "-sfn", target, link.string()}, stop), link);
  }
  return names;
}

void reset_session_settings(Sandbox& sandbox, const NewCluster& cluster,
                            const std::stop_token& stop) {
  const auto role = quoted_identifier(sandbox.spec().superuser);
  const auto database = quoted_identifier(cluster.database);
  const auto statements = cluster.directory / "reset.sql";
  sandbox.write_file(statements, fmt::format("alter role all reset all\n"
                                             "alter role {0} reset all\n"
                                             "alter database {1} reset all\n"
                                             "alter role {0} in database {1} reset all\n",
                                             role, database));
  const auto settings = cluster.first().settings.string();
  // It reads no settings of roles and fires no event trigger.
  const auto result = sandbox.run({.program = sandbox.program("postgres"),
                                   .arguments = {"--single", "-D", cluster.restored.string(), "-c",
                                                 "config_file=" + settings, cluster.database},
                                   .input = statements,
                                   .timeout = std::chrono::minutes(30),
                                   .isolation = Isolation{}},
                                  stop);
  throw_if_cancelled(result);
  if (result.succeeded()) return;
  constexpr std::size_t longest = 500;
  const auto& output = result.error_output;
  throw Error(ErrorKind::environment,
              fmt::format("the copied data directory cannot be opened in single-user mode: {}",
                          trim(output.substr(output.size() - std::min(output.size(), longest)))));
}

}  // namespace pgrehearse
