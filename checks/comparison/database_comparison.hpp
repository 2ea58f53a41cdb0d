// One database of the restored cluster held against its part of a fingerprint: catalogue, sequences
// and contents. The instance must be paused where the fingerprint was taken.
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

// What was looked at, in numbers.
struct ComparisonTally {
  std::uint64_t databases = 0;
  std::uint64_t relations = 0;  // with rows counted at least
  std::uint64_t rows = 0;
  std::uint64_t entries = 0;  // of the catalogue
  std::uint64_t sequences = 0;
  std::uint64_t differences = 0;
  std::uint64_t gaps = 0;       // could have been compared, was not
  std::uint64_t rewritten = 0;  // truncated or rewritten while the fingerprint was taken
  std::map<std::string, std::uint64_t> by_choice;  // cause -> relations: unlogged, excluded, ...
  std::map<std::string, std::uint64_t> by_coverage;
};

struct DatabaseComparison {
  std::string database;
  bool exact = true;
  bool with_cluster = false;  // what all databases share is in this part of the fingerprint
  double tolerance = 0;  // of an inexact comparison: by how much of the rows a relation may differ
  Sample sample;
  std::size_t connections = 2;
  // A new connection to the database in the instance.
  std::function<Connection()> connect;
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress;
  // Called for each relation whose content differs, one at a time; adds to the finding.
  std::function<void(const RelationContent& expected, Finding& finding)> on_difference;
};

// Reads the database's part from `reader`, which stands behind its line. Throws SqlError when the
// instance refuses.
void compare_database(FingerprintReader& reader, const DatabaseComparison& comparison,
                      FindingList& findings, ComparisonTally& tally, const std::stop_token& stop);

}  // namespace pgrehearse
