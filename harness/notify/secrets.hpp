// The secrets of one channel: read from the environment or from files, and removed from everything
// that is printed or stored.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/scenario/language/settings.hpp"

namespace pgrehearse {

class Secrets {
 public:
  explicit Secrets(const Settings& settings) : settings_(settings) {}

  // The value of a key of the kind `secret`, or the first line of its file; empty if the key is
  // not set. Throws Error(environment) when the file cannot be read or is empty.
  std::string read(std::string_view key);
  // Not a key of the kind `secret`, but may contain one.
  std::string also(std::string text);

  // `text` with each secret read so far replaced by "***".
  [[nodiscard]] std::string redact(std::string text) const;

 private:
  const Settings& settings_;
  std::vector<std::string> values_;
};

}  // namespace pgrehearse
