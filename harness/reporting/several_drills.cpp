#include "harness/reporting/several_drills.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>

#include "harness/common/error.hpp"
#include "harness/reporting/formats.hpp"

namespace pgrehearse {

namespace {

struct Row {
  std::string_view format;
  void (*write)(const SeveralDrills& drills, std::ostream& out) = nullptr;
};

constexpr std::array<Row, 3> table{
    {{"json", write_json}, {"junit", write_junit}, {"markdown", write_markdown}}};

const Row& row_of(std::string_view format) {
  const auto* row = std::ranges::find(table, format, &Row::format);
  if (row != table.end()) return *row;
  throw Error(ErrorKind::usage, fmt::format("--{} can only be used with a single scenario", format),
              "set `reports` in each scenario, or run one scenario at a time");
}

}  // namespace

void require_format_for_several(std::string_view format) { row_of(format); }

void write_report_file(const SeveralDrills& drills, std::string_view format,
                       const std::filesystem::path& file) {
  const auto& row = row_of(format);
  write_output_file(file, [&](std::ostream& out) { row.write(drills, out); });
}

}  // namespace pgrehearse
