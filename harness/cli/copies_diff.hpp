// `copies diff`: the rows of one table in a copy and in the primary.
#pragma once

#include <chrono>
#include <filesystem>
#include <stop_token>
#include <string>

#include "harness/cli/command_table.hpp"
#include "harness/sandbox/registry.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct CopiesDiff {
  std::string table;    // DATABASE.SCHEMA.TABLE
  std::string against;  // a scenario with a primary, or a libpq connection string
  std::filesystem::path csv;
  std::filesystem::path sql;
  std::chrono::milliseconds time{std::chrono::minutes(10)};  // for reading the primary
};

// Throws Error.
ExitCode diff_copy(Sandbox& copy, const CopiesDiff& arguments, const CommonOptions& common,
                   const std::stop_token& stop);

}  // namespace pgrehearse
