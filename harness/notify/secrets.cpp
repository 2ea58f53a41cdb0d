#include "harness/notify/secrets.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

std::string first_line_of(const std::string& file) {
  errno = 0;
  std::ifstream in(file);
  std::string line;
  if (!in.is_open()) {
    throw Error(ErrorKind::environment,
                fmt::format("cannot read the secret in '{}': {}", file,
                            std::generic_category().message(errno)),
                "check the path and the permissions", FindingCode::env_file, file);
  }
  std::getline(in, line);
  const std::string value(trim(line));
  if (value.empty()) {
    throw Error(ErrorKind::environment, fmt::format("the first line of '{}' is empty", file),
                "write the secret into its first line", FindingCode::env_file, file);
  }
  return value;
}

}  // namespace

std::string Secrets::read(std::string_view key) {
  const auto source = settings_.get<std::map<std::string, std::string>>(key);
  if (!source) return {};
  const auto file = source->find("file");
  return also(file != source->end() ? first_line_of(file->second) : source->at(""));
}

std::string Secrets::also(std::string text) {
  if (!text.empty()) values_.push_back(text);
  return text;
}

std::string Secrets::redact(std::string text) const {
  constexpr std::string_view mask = "***";
  for (const auto& value : values_) {
    for (std::size_t at = 0; (at = text.find(value, at)) != std::string::npos; at += mask.size()) {
      text.replace(at, value.size(), mask);
    }
  }
  return text;
}

}  // namespace pgrehearse
