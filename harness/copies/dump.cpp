#include "harness/copies/dump.hpp"

#include <fmt/format.h>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"
#include "harness/copies/table_name.hpp"
#include "harness/process/command.hpp"

namespace pgrehearse {

DumpRequest parse_dump_request(std::string_view text) {
  const auto equals = text.rfind('=');
  const auto object = text.substr(0, equals);
  auto parts = dotted_parts(object);
  const bool names = parts.size() == 1 || parts.size() == 3;
  if (equals == std::string_view::npos || equals + 1 == text.size() || !names) {
    throw Error(ErrorKind::usage, fmt::format("'{}' does not say what to dump to which file", text),
                "DATABASE.SCHEMA.TABLE=FILE or DATABASE=FILE, for example "
                "shop.public.orders=orders.dump");
  }
  DumpRequest request{.object = std::string(object),
                      .database = parts[0],
                      .file = std::string(text.substr(equals + 1))};
  if (parts.size() == 3) {
    request.pattern = quoted({.schema = std::move(parts[1]), .table = std::move(parts[2])});
  }
  return request;
}

Bytes dump(Sandbox& sandbox, const DumpRequest& request, std::ostream& out,
           const std::stop_token& stop) {
  const auto file = sandbox.paths().temporary / "dump";
  const auto server = sandbox.server();
  Command command{.program = sandbox.program("pg_dump"),
                  .arguments = {"--format=custom", "--no-password", "--file=" + file.string(),
                                "--lock-wait-timeout=5s"},
                  // Not as an argument, which may be a connection string.
                  .environment = {{"PGDATABASE", request.database},
                                  {"PGHOST", sandbox.paths().sockets.string()},
                                  {"PGPORT", server.contains("port") ? server.at("port") : "5432"},
                                  {"PGUSER", sandbox.spec().superuser}},
                  .timeout = std::chrono::hours(24)};
  if (!request.pattern.empty()) command.arguments.push_back("--table=" + request.pattern);
  const auto result = sandbox.run(command, stop);
  throw_if_cancelled(result);
  if (!result.succeeded()) {
    throw Error(ErrorKind::environment,
                fmt::format("{} could not be dumped: {}", request.object,
                            trim(std::string_view(result.error_output).substr(0, 600))),
                "names are written as in the catalog: DATABASE.SCHEMA.TABLE");
  }
  Bytes size;
  sandbox.stream_file(file, [&](std::string_view piece) {
    out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    size.count += piece.size();
  });
  sandbox.run({.program = "rm", .arguments = {"-f", file.string()}}, stop);
  return size;
}

std::filesystem::path numbered(const std::filesystem::path& file, std::size_t number) {
  auto name = file.stem();
  name += fmt::format(".{}", number);
  name += file.extension();
  return file.parent_path() / name;
}

}  // namespace pgrehearse
