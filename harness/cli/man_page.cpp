#include "harness/cli/man_page.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "harness/cli/command_table.hpp"
#include "harness/common/text.hpp"
#include "harness/common/version.hpp"

namespace pgrehearse {

namespace {

constexpr std::string_view description = R"(.SH DESCRIPTION
.B pgrehearse
restores a PostgreSQL backup into a disposable sandbox, replays WAL up to the recovery target,
proves where recovery landed, runs checks, reports and removes everything.
The primary is only read and the repository is never written.
A scenario is a YAML file that describes one drill;
.B pgrehearse schema \-\-example
prints one that has every key.
)";

constexpr std::string_view epilogue = R"(.SH EXIT STATUS
.TP
.B 0
pass
.TP
.B 1
fail: the backup, or what came back from it, is wrong
.TP
.B 2
unknown: it could not be told
.TP
.B 3
wrong command line or scenario; nothing was started
.TP
.B 4
a bug in pgrehearse
.TP
.B 130
interrupted
.SH FILES
.TP
.I STATE/runs/SCENARIO/RUN/
one run: report.json, report.txt, report.md, report.xml, logs/
.TP
.I STATE/runs/SCENARIO/latest
the newest run of a scenario
.PP
STATE is what
.B \-\-state
names; without it /var/lib/pgrehearse for root and postgres, and $XDG_STATE_HOME/pgrehearse or
~/.local/state/pgrehearse for others.
.SH ENVIRONMENT
.TP
.B NO_COLOR
no colours when set and not empty
.TP
.B TERM
no colours when it is dumb
.TP
.B XDG_STATE_HOME
see FILES
.PP
The variables and files of libpq (PGPASSFILE, PGSERVICE and so on) hold for the connection to the
primary, and a scenario can use any variable as ${NAME}.
.SH SEE ALSO
.BR pgbackrest (1),
.BR pg_amcheck (1),
.BR pg_checksums (1)
)";

// A leading dot or quote would be a request, a backslash or hyphen another character.
std::string roff(std::string_view text) {
  std::string escaped;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
    line_begins = c == '\n';
  }
  return escaped;
}

}  // namespace

void print_man_page(const CLI::App& app) {
  std::cout << fmt::format(
      ".TH PGREHEARSE 1 \"\" \"pgrehearse {}\" \"pgrehearse\"\n"
      ".SH NAME\npgrehearse \\- rehearses PostgreSQL recovery and proves that backups restore\n"
      ".SH SYNOPSIS\n.B pgrehearse\n.I COMMAND\n[options]\n{}.SH COMMANDS\n",
      roff(pgrehearse_version()), description);
  for (const auto& row : command_table()) {
    std::cout << fmt::format(".SS {}\n.nf\n{}.fi\n", roff(row.name),
                             roff(app.get_subcommand(std::string(row.name))->help("pgrehearse")));
  }
  std::cout << epilogue;
}

}  // namespace pgrehearse
