// Compares one database of a running server with its part of a fingerprint file, as the check
// `comparison` does inside a drill, and prints what was found and what it cost as JSON.
#include <sys/resource.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "checks/comparison/database_comparison.hpp"

namespace pgrehearse {
namespace {

int compare(const std::string& file, const std::string& dsn, const std::string& database,
            std::size_t connections) {
  FingerprintReader reader(std::make_unique<std::ifstream>(file, std::ios::binary), file);
  // The database's part may stand under another name in the copy.
  const auto recorded = databases_of(reader).front().database;
  FingerprintReader again(std::make_unique<std::ifstream>(file, std::ios::binary), file);
  again.seek(recorded);
  const auto facts = std::get<DatabaseFingerprint>(*again.next());
  auto parameters = parse_dsn(dsn);
  parameters["dbname"] = database;
  FindingList findings;
  ComparisonTally tally;
  const auto began = std::chrono::steady_clock::now();
  compare_database(again,
                   {.database = recorded,
                    .with_cluster = facts.with_cluster,
                    .sample = again.header().sample,
                    .connections = connections,
                    .connect = [&] { return Connection::open(parameters, {}); }},
                   findings, tally, {});
  const Seconds seconds = std::chrono::steady_clock::now() - began;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto found = nlohmann::json::array();
  for (const auto& finding : findings.take()) {
    found.push_back(
        {{"code", finding.code}, {"object", finding.object}, {"message", finding.message}});
  }
  std::cout << nlohmann::json{{"seconds", seconds.count()},
                              {"peak_kb", usage.ru_maxrss},
                              {"relations", tally.relations},
                              {"rows", tally.rows},
                              {"gaps", tally.gaps},
                              {"differences", tally.differences},
                              {"findings", found}}
                   .dump()
            << '\n';
  return 0;
}

}  // namespace
}  // namespace pgrehearse

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: compare_with_file FILE DSN DATABASE CONNECTIONS\n";
    return 3;
  }
  try {
    return pgrehearse::compare(argv[1], argv[2], argv[3], std::stoul(argv[4]));
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 2;
  }
}
