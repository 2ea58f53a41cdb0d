// The functions of the reporter table, one file each.
#pragma once

#include <ostream>

#include "harness/reporting/reporter.hpp"
#include "harness/reporting/several_drills.hpp"

namespace pgrehearse {

void write_html(const Report& report, const RenderOptions& options, std::ostream& out);
void write_json(const Report& report, const RenderOptions& options, std::ostream& out);
void write_text(const Report& report, const RenderOptions& options, std::ostream& out);
void write_junit(const Report& report, const RenderOptions& options, std::ostream& out);
void write_markdown(const Report& report, const RenderOptions& options, std::ostream& out);

// One document about the drills of one command.
void write_json(const SeveralDrills& drills, std::ostream& out);
void write_junit(const SeveralDrills& drills, std::ostream& out);
void write_markdown(const SeveralDrills& drills, std::ostream& out);

}  // namespace pgrehearse
