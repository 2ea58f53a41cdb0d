// The command line of a process, from /proc.
#pragma once

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include "harness/process/process_table.hpp"

namespace pgrehearse {

// Arguments with a space after each; empty if the process ends meanwhile.
inline std::string command_line_of(const ProcessInfo& process) {
  try {
    std::ifstream file("/proc/" + std::to_string(process.pid) + "/cmdline");
    std::string line{std::istreambuf_iterator<char>(file), {}};
    std::replace(line.begin(), line.end(), '\0', ' ');
    return line;
  } catch (const std::ios_base::failure&) {
    return {};
  }
}

}  // namespace pgrehearse
