// What is stored about a kept copy besides its sandbox: where its backup is and which target it was
// recovered to. In <state>/copies/<run id>.json.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "harness/postgres/lsn.hpp"
#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

struct CopyRecord {
  std::string run_id;
  RepositorySpec repository;  // `backup` is a label
  std::string superuser = "postgres";
  std::optional<std::filesystem::path> binaries;
  int postgres_major = 0;
  std::string target;  // target_word() of its target
  std::optional<Lsn> landed;
};

// Throws Error(environment).
void save_copy_record(const std::filesystem::path& state, const CopyRecord& record);
// nullopt if there is none, or it cannot be read: a copy of `run --keep` has none.
std::optional<CopyRecord> load_copy_record(const std::filesystem::path& state,
                                           const std::string& run_id);
void remove_copy_record(const std::filesystem::path& state, const std::string& run_id);

}  // namespace pgrehearse
