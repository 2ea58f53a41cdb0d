#include <fmt/format.h>
#include <libpq-fe.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "harness/cli/commands.hpp"
#include "harness/common/version.hpp"

namespace pgrehearse {

namespace {

std::string libpq_version() {
  const int version = PQlibVersion();
  return fmt::format("{}.{}", version / 10000, version % 10000);
}

std::string compiler_version() {
#ifdef __clang__
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return fmt::format("gcc {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

}  // namespace

CommandAction configure_version(CLI::App& /*command*/, const CommonOptions& common) {
  return [&common](const std::stop_token&) {
    if (common.format == "json") {
      const nlohmann::ordered_json versions{{"pgrehearse", pgrehearse_version()},
                                            {"libpq", libpq_version()},
                                            {"compiler", compiler_version()}};
      std::cout << versions.dump(2) << '\n';
    } else {
      std::cout << fmt::format("pgrehearse {}\nlibpq {}\ncompiler {}\n", pgrehearse_version(),
                               libpq_version(), compiler_version());
    }
    return ExitCode::pass;
  };
}

}  // namespace pgrehearse
