#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "harness/common/text.hpp"
#include "harness/scenario/scenario_parser.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t largest_file = std::size_t{1} << 20;

[[noreturn]] void refuse(const std::filesystem::path& file, std::string message, std::string hint) {
  throw ScenarioErrors({{{.file = file.string()}, std::move(message), std::move(hint)}});
}

// A file with a similar name in the same directory.
std::string hint_for_missing(const std::filesystem::path& file) {
  const auto directory = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  const auto near = nearest(file.filename().string(), names);
  if (near) return fmt::format("did you mean '{}'?", (file.parent_path() / *near).string());
  return fmt::format("the working directory is {}",
                     std::filesystem::current_path(ignored).string());
}

}  // namespace

std::string read_scenario_text(const std::filesystem::path& file) {
  std::error_code failure;
  const auto status = std::filesystem::status(file, failure);
  if (!std::filesystem::exists(status)) {
    refuse(file,
           fmt::format("cannot be read: {}",
                       failure ? failure.message() : "No such file or directory"),
           hint_for_missing(file));
  }
  if (std::filesystem::is_directory(status)) {
    refuse(file, "is a directory, not a scenario", "give the YAML files in it");
  }
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  std::string text(largest_file + 1, '\0');
  if (stream) stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!stream.is_open() || stream.bad()) {
    refuse(file, fmt::format("cannot be read: {}", std::strerror(errno)), "");
  }
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > largest_file) refuse(file, "is larger than 1 MB", "check the file name");
  if (text.find('\0') != std::string::npos)
    refuse(file, "is not a text file", "check the file name");
  return text;
}

Scenario load_scenario(const std::filesystem::path& file, std::span<const std::string> overrides,
                       std::span<const CheckDescription> checks) {
  return parse_scenario(read_scenario_text(file), file.string(), overrides, checks);
}

}  // namespace pgrehearse
