#include "harness/sandbox/shared/image_binaries.hpp"

#include <fmt/format.h>

#include <charconv>

#include "harness/common/text.hpp"

namespace pgrehearse {

std::vector<std::string> binary_directories(const SandboxSpec& spec) {
  if (spec.binaries) return {spec.binaries->string()};
  return {fmt::format("/usr/lib/postgresql/{}/bin", spec.postgres_major),
          fmt::format("/usr/pgsql-{}/bin", spec.postgres_major), "/usr/local/bin", "/usr/bin"};
}

std::optional<std::filesystem::path> find_image_binaries(
    const SandboxSpec& spec, const std::function<CommandResult(const Command& command)>& run) {
  for (const auto& directory : binary_directories(spec)) {
    try {
      const auto result = run({.program = directory + "/postgres",
                               .arguments = {"-V"},
                               .timeout = std::chrono::minutes(2)});
      throw_if_cancelled(result);
      const int major = postgres_major_in(result.output);
      if (major == 0 || (spec.postgres_major != 0 && major != spec.postgres_major)) continue;
      return directory;
    } catch (const Error& error) {
      // It is not in this directory.
      if (error.code() != FindingCode::env_binary) throw;
    }
  }
  return {};
}

int postgres_major_in(std::string_view output) {
  constexpr std::string_view before = "(PostgreSQL) ";
  const auto at = output.find(before);
  int major = 0;
  if (at == std::string_view::npos) return major;
  const auto number = output.substr(at + before.size());
  std::from_chars(number.data(), number.data() + number.size(), major);
  return major;
}

Error missing_binaries(const SandboxSpec& spec, const std::string& image) {
  return {ErrorKind::environment,
          fmt::format("the image {} has no PostgreSQL {} binaries in {}", image,
                      spec.postgres_major, join(binary_directories(spec), ", ")),
          "set sandbox.image to an image that has them, or sandbox.binaries to their directory in "
          "the image",
          FindingCode::env_binaries, image};
}

}  // namespace pgrehearse
