// The number of rows in every table of a copy, without running code that is stored in it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/shared/name_patterns.hpp"
#include "harness/primary/row_count.hpp"

namespace pgrehearse {

struct CopiedCounting {
  std::function<Connection(const std::string& database)> connect;  // as superuser
  std::vector<std::string> databases;
  NamePatterns exclude;
  std::function<void(std::uint64_t done, std::uint64_t total, std::string_view unit)> on_progress;
};

// A database or a table that cannot be read has an error.
RowCounts count_copied(const CopiedCounting& counting);

}  // namespace pgrehearse
