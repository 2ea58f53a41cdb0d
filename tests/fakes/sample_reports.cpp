#include "tests/fakes/sample_reports.hpp"

namespace pgrehearse {

namespace {

Instant at(const char* text) { return *parse_instant(text); }

Report begun_report() {
  Report report;
  report.id = "20261120T030000Z-1a2b3c4d";
  report.scenario = {.name = "weekly-orders",
                     .file = "/etc/pgrehearse/weekly-orders.yaml",
                     .hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"};
  report.started = at("2026-11-20T03:00:00Z");
  report.host = "drill1";
  report.backup = BackupRecord{
      .label = "20261119-020000F_20261120-020000I",
      .type = "incremental",
      .reason = "the newest complete set of stanza orders",
      .stanza = "orders",
      .postgres_version = "15",
      .system_identifier = 7301234567890123456ULL,
      .start_time = at("2026-11-20T02:00:00Z"),
      .stop_time = at("2026-11-20T02:00:09Z"),
      .start_lsn = parse_lsn("0/9000028"),
      .stop_lsn = parse_lsn("0/9000100"),
      .bytes = 4939212390,
  };
  report.sandbox = {.type = "local",
                    .root = "/var/lib/pgrehearse/sandboxes/20261120T030000Z-1a2b3c4d"};
  report.tools = {{"pgbackrest", "pgBackRest 2.45"}, {"pgrehearse", "0.1.0"}, {"postgres", "15.8"}};
  return report;
}

Report ended_report() {
  Report report = begun_report();
  report.finished = at("2026-11-20T03:06:41.250Z");
  report.landing = Landing{
      .asked = "latest",
      .lsn = parse_lsn("0/D4000A8"),
      .timeline = 1,
      .time = at("2026-11-20T02:58:31.403117Z"),
      .last_applied = TransactionMark{.xid = 81234,
                                      .lsn = *parse_lsn("0/D3FFF48"),
                                      .time = at("2026-11-20T02:58:31.403117Z")},
      .archive_end = parse_lsn("0/D4000A8"),
      .proved = true,
      .proof = "replay ended where the listing of the archive ends",
  };
  report.phases = {{.name = "validate", .seconds = 0.012, .completed = true},
                   {.name = "choose backup", .seconds = 0.41, .completed = true},
                   {.name = "create sandbox", .seconds = 0.093, .completed = true},
                   {.name = "restore", .seconds = 201.8, .bytes = 4939212390, .completed = true},
                   {.name = "recover", .seconds = 63.47, .bytes = 71303168, .completed = true},
                   {.name = "checks", .seconds = 131.2, .completed = true},
                   {.name = "destroy", .seconds = 1.9, .completed = true}};
  report.rto = {.objective = 1800, .measured = 265.27, .explanation = "restore and recovery"};
  report.rpo = {.objective = 600,
                .measured = 88.597,
                .explanation = "drill start minus the newest restored commit"};
  report.comparison = {.exact = true,
                       .method = "slot",
                       .lsn = parse_lsn("0/D4000A8"),
                       .explanation = "snapshot exported by a temporary slot",
                       .tables = {{.name = "shop.public.orders",
                                   .result = "same",
                                   .coverage = "full",
                                   .expected = 1200000,
                                   .actual = 1200000,
                                   .bytes = 4831838208},
                                  {.name = "shop.public.audit",
                                   .result = "not compared",
                                   .coverage = "none",
                                   .note = "unlogged"}}};
  report.archive = ArchiveRecord{.timeline = 1,
                                 .listed_at = at("2026-11-20T03:00:01Z"),
                                 .backups = {{.label = "20261118-020000F",
                                              .type = "full",
                                              .start_time = at("2026-11-18T02:00:00Z"),
                                              .stop_time = at("2026-11-18T02:04:10Z"),
                                              .stop_lsn = parse_lsn("0/4000100")},
                                             {.label = report.backup->label,
                                              .type = "incremental",
                                              .start_time = report.backup->start_time,
                                              .stop_time = report.backup->stop_time,
                                              .stop_lsn = report.backup->stop_lsn}},
                                 .ranges = {{.kind = "recoverable",
                                             .begin = *parse_lsn("0/4000100"),
                                             .end = *parse_lsn("0/D4000A8"),
                                             .begin_time = at("2026-11-18T02:04:10Z"),
                                             .end_time = at("2026-11-20T02:58:31.403117Z")}}};
  report.sandbox.removed = true;
  report.sandbox.removal = {"process 4242 postgres", "directory " + report.sandbox.root};
  report.commands = {{.command = "pgbackrest --stanza=orders info --output=json",
                      .seconds = 0.38,
                      .log = "logs/01-pgbackrest-info.log"},
                     {.command = "pgbackrest --stanza=orders --delta restore",
                      .seconds = 201.6,
                      .log = "logs/02-pgbackrest-restore.log"}};
  return report;
}

}  // namespace

Report passed_report() {
  Report report = ended_report();
  report.verdict = Verdict::pass;
  report.diagnosis = {.summary =
                          "backup 20261119-020000F_20261120-020000I restores; recovery "
                          "reached the end of the archive, 89 s before the drill",
                      .likely_cause = LikelyCause::none};
  report.checks = {{.name = "landing",
                    .check = "landing",
                    .verdict = Verdict::pass,
                    .seconds = 0.004,
                    .state = "paused",
                    .summary = "0/D4000A8 on timeline 1, the end of the archive"},
                   {.name = "row_counts",
                    .check = "row_counts",
                    .verdict = Verdict::pass,
                    .seconds = 4.31,
                    .state = "paused",
                    .summary = "14 tables, 1,204,331 rows"},
                   {.name = "orders are recent",
                    .check = "query",
                    .verdict = Verdict::pass,
                    .seconds = 0.021,
                    .state = "paused",
                    .summary = "true"},
                   {.name = "amcheck",
                    .check = "amcheck",
                    .verdict = Verdict::skipped,
                    .state = "read_write",
                    .summary = "--skip amcheck"}};
  return report;
}

Report failed_report() {
  Report report = ended_report();
  report.verdict = Verdict::fail;
  report.diagnosis = {
      .summary = "1 page of shop.public.orders does not match its checksum",
      .code = FindingCode::checksums_page,
      .object = "base/16401/16422",
      .likely_cause = LikelyCause::backup,
      .recoverable =
          "rows in block 17 of shop.public.orders are lost in this set; "
          "20261118-020000F is the newest set before it",
      .next_step = "run the drill with repository.backup: 20261118-020000F",
      .evidence = {
          "pg_checksums: error: checksum verification failed in file "
          "\"base/16401/16422\", block 17: calculated checksum 2C1F but block contains 9A00"}};
  report.rto.measured = 1980.4;
  report.rpo.measured.reset();
  report.rpo.explanation = "no commit time was found in the replayed WAL";
  report.comparison = {.method = "none", .explanation = "the scenario names no primary"};
  report.sandbox.removed = false;
  report.sandbox.remaining = {"directory " + report.sandbox.root};
  report.checks = {
      {.name = "landing",
       .check = "landing",
       .verdict = Verdict::pass,
       .seconds = 0.004,
       .state = "paused",
       .summary = "0/D4000A8 on timeline 1"},
      {.name = "page_checksums",
       .check = "page_checksums",
       .verdict = Verdict::fail,
       .seconds = 38.112,
       .state = "stopped",
       .summary = "602,000 pages, 1 damaged",
       .findings = {{.code = FindingCode::checksums_page,
                     .object = "base/16401/16422",
                     .message = "block 17: calculated checksum 2C1F but block contains 9A00",
                     .hint = "restore an older set",
                     .details = {{"block", "17"}, {"relation", "shop.public.orders"}}}}},
      {.name = "row_counts",
       .check = "row_counts",
       .verdict = Verdict::fail,
       .seconds = 3.9,
       .state = "paused",
       .summary = "13 tables, 2 differ",
       .findings = {{.code = FindingCode::rows_missing_table,
                     .object = "shop.public.\"a|b\n\x1b[31m<red>&\xff\"",
                     .message = "table is missing\tin the copy \x01 ]]>",
                     .details = {{"expected", "120"}}},
                    {.code = FindingCode::rows_differ,
                     .object = "shop.public.bestellungen_\xc3\xa4\xc3\xb6\xc3\xbc",
                     .message = "1,000 rows expected, 998 found"}}},
      {.name = "extensions",
       .check = "extensions",
       .verdict = Verdict::unknown,
       .seconds = 0.2,
       .state = "paused",
       .summary = "connection to database 'shop' was closed by the server"},
      {.name = "amcheck", .check = "amcheck", .verdict = Verdict::skipped, .state = "read_write"}};
  return report;
}

Report killed_report() {
  Report report = begun_report();
  report.phases = {{.name = "validate", .seconds = 0.012, .completed = true},
                   {.name = "choose backup", .seconds = 0.41, .completed = true},
                   {.name = "create sandbox", .seconds = 0.093, .completed = true},
                   {.name = "restore"}};
  return report;
}

Report minimal_report() {
  Report report;
  report.id = "20261120T030000Z-1a2b3c4d";
  report.scenario.name = "weekly-orders";
  report.started = at("2026-11-20T03:00:00Z");
  return report;
}

}  // namespace pgrehearse
