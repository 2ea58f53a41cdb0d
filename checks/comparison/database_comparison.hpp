// Compares one database of the restored cluster with its part of a fingerprint: catalog, sequences
// and contents. The instance must be paused at the fingerprint's LSN.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "checks/shared/finding_list.hpp"
#include "harness/postgres/connection.hpp"
#include "harness/primary/fingerprint/fingerprint.hpp"
#include "harness/primary/fingerprint/fingerprint_file.hpp"
#include "harness/report/report.hpp"

namespace pgrehearse {

// Numbers of compared objects.
struct ComparisonTally {
  std::uint64_t databases = 0;
  std::uint64_t relations = 0;  // with rows counted at least
  std::uint64_t rows = 0;
  std::uint64_t entries = 0;  // of the catalog
  std::uint64_t sequences = 0;
  std::uint64_t differences = 0;
  std::uint64_t gaps = 0;       // should have been compared but was not
  std::uint64_t rewritten = 0;  // truncated or rewritten while the fingerprint was taken
  std::map<std::string, std::uint64_t> by_choice;  // cause -> relations: unlogged, excluded, ...
  std::map<std::string, std::uint64_t> by_coverage;
  std::vector<ComparedTable> tables;
};

struct DatabaseComparison {
  std::string database;
  bool exact = true;
  bool with_cluster = false;  // this part of the fingerprint includes shared objects
  double tolerance = 0;       // inexact comparison only: allowed difference as a share of the rows
  Sample sample;
  std::size_t connections = 2;
  // A new connection to the database in the instance.
  std::function<Connection()> connect;
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress;
  // Called for each relation whose content differs, one at a time; adds to the finding.
  std::function<void(const RelationContent& expected, Finding& finding)> on_difference;
};

// Reads the database's part from `reader`, which is positioned after the database's line. Throws
// SqlError when the instance refuses.
void compare_database(FingerprintReader& reader, const DatabaseComparison& comparison,
                      FindingList& findings, ComparisonTally& tally, const std::stop_token& stop);

}  // namespace pgrehearse
