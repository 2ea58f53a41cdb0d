// SHA-256, in lower-case hexadecimal as sha256sum prints it.
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace pgrehearse {

std::string sha256_of(std::string_view text);
// nullopt if the file cannot be read. Throws Error(interrupted) on a stop request.
std::optional<std::string> sha256_of_file(const std::filesystem::path& file,
                                          const std::stop_token& stop = {});

}  // namespace pgrehearse
