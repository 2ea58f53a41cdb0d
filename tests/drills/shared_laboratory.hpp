// The laboratory that all drill tests share: built once by a CTest fixture and only read by the
// tests. A test that damages something uses a copy of the repository or its own laboratory.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "harness/laboratory/laboratory.hpp"

namespace pgrehearse {

// One row of shop.pitr.marks, committed by a transaction of its own.
struct Mark {
  std::string xid;
  std::string commit_lsn;  // start of its commit record
  std::string time;        // of its commit, with zone
};

// Marks 1 to 6 were committed one after another, after the last backup. The restore point
// `after_mark_1` is between the first two.
struct SharedLaboratory {
  std::filesystem::path root;
  std::map<int, Mark> marks;
};

// Builds it below a new directory in /var/tmp and writes `record`.
void build_shared_laboratory(const std::filesystem::path& record);
void remove_shared_laboratory(const std::filesystem::path& record);
// Throws if it was not built.
SharedLaboratory read_shared_laboratory(const std::filesystem::path& record);

// A new directory that the postgres account can enter.
std::filesystem::path make_scratch_directory(const std::string& purpose);

}  // namespace pgrehearse
