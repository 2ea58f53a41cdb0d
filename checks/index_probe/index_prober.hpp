// Looks rows of a database's tables up through each index.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "checks/index_probe/probe_catalog.hpp"
#include "checks/index_probe/row_sample.hpp"
#include "checks/shared/finding_list.hpp"
#include "harness/drill/check.hpp"

namespace pgrehearse {

struct ProbeTally {
  std::uint64_t probed = 0;  // indexes through which at least one row was looked up
  std::uint64_t empty = 0;   // indexes without a row to look up
  std::uint64_t not_probed = 0;
  std::uint64_t partly = 0;  // their share of the time was over before every sampled row
  std::uint64_t rows = 0;
};

// Needs a promoted instance: in a transaction that is rolled back, all other indexes of the table
// are marked invalid, so that the planner can use no other.
class IndexProber {
 public:
  using Clock = std::chrono::steady_clock;

  IndexProber(const InstanceContext& context, const SampleRules& rules, Clock::time_point deadline,
              FindingList& findings, ProbeTally& tally);

  // Each index gets an equal share of the time that is left. False: the server is gone; the finding
  // names the index through which it was reading.
  bool probe(const std::string& database, Connection& sql, const std::vector<ProbeIndex>& indexes);

 private:
  struct Lookups {
    std::uint64_t rows = 0;
    std::uint64_t lost = 0;
    std::string positions;
    bool complete = true;
  };

  bool probe_guarded(Connection& sql, const ProbeIndex& index, Clock::time_point until);
  void probe_index(Connection& sql, const ProbeIndex& index, Clock::time_point until);
  bool has_zero_page(Connection& sql, const ProbeIndex& index);
  Rows search(Connection& sql, const std::string& statement, const Field& positions);
  // False: the planner does not use the index.
  bool look_up(Connection& sql, const ProbeIndex& index, const std::string& statement,
               Clock::time_point until, Lookups& lookups);
  static void disable_indexes(Connection& sql, const ProbeIndex& index, const std::string& except);
  static bool has_nan(Connection& sql, const ProbeIndex& index);
  void not_probed(const ProbeIndex& index, const std::string& reason);
  bool sample(Connection& sql, const ProbeIndex& index);
  void report(const ProbeIndex& index, const Lookups& lookups);
  bool succeeds_without_index(Connection& sql, const ProbeIndex& index);
  void report_error(Connection& sql, const ProbeIndex& index, const SqlError& error);
  [[nodiscard]] std::string object_of(const std::string& name) const;

  const InstanceContext& context_;
  SampleRules rules_;
  Clock::time_point deadline_;
  FindingList& findings_;
  ProbeTally& tally_;
  std::string database_;
  std::string process_id_;
  bool hung_ = false;  // the last search was ended by the watchdog
  std::string sampled_table_;
  bool readable_ = false;
  std::vector<RowPosition> rows_;
};

}  // namespace pgrehearse
