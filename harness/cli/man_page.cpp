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
proves where recovery stopped, runs checks, reports, and removes everything.
The primary is only read and the repository is never written.
A scenario is a YAML file that describes one drill;
.B pgrehearse schema \-\-example
prints one with every key.
)";

constexpr std::string_view epilogue = R"(.SH EXIT STATUS
.TP
.B 0
pass
.TP
.B 1
fail: the backup could not be recovered, or the recovered data is wrong
.TP
.B 2
unknown: the result could not be determined
.TP
.B 3
usage or scenario error; nothing was started
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
STATE is the directory given with
.BR \-\-state .
The default is /var/lib/pgrehearse for root and postgres, and $XDG_STATE_HOME/pgrehearse or
~/.local/state/pgrehearse for other accounts.
.SH ENVIRONMENT
.TP
.B NO_COLOR
disables colors when set and not empty
.TP
.B TERM
disables colors when set to dumb
.TP
.B XDG_STATE_HOME
see FILES
.PP
libpq's environment variables and files (PGPASSFILE, PGSERVICE and so on) apply to the connection
to the primary. A scenario can refer to any variable as ${NAME}.
.SH SEE ALSO
.BR pgbackrest (1),
.BR pg_amcheck (1),
.BR pg_checksums (1)
)";

// Escapes leading dots and quotes (roff requests), backslashes and hyphens.
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
