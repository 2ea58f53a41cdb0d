// Where a fault is injected: a copy of a laboratory or of a user's repository, described by what
// injection needs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/laboratory/laboratory.hpp"
#include "harness/process/command_runner.hpp"

namespace pgrehearse {

// Properties of the repository.
struct RepositoryTraits {
  std::string stanza;
  std::vector<std::string> chain =
      {};  // the backups of one restore, from the full backup to the restored one
  std::uint64_t segment_size = 0;  // WAL segment size in bytes
  std::string first_segment = {};  // first segment that replay of the restored backup reads
  std::string last_segment =
      {};  // last segment that replay reads; empty: the last one in the archive
  bool encrypted = false;
  BackupTool tool = BackupTool::pgbackrest;
};

// Everything below `directory` is removed afterwards.
struct InjectionSite {
  // A clone if the fault damages the primary, otherwise only read; nullptr where no primary may be
  // damaged.
  Laboratory* primary = nullptr;
  std::filesystem::path directory;  // of this fault only
  std::filesystem::path repository;
  std::filesystem::path configuration;  // pgBackRest's or Barman's, of that repository
  RepositoryTraits traits;
  Account account;                                // owns the repository and runs the drill
  std::string pgbackrest = "pgbackrest";          // name or path; Barman's in its laboratories
  std::filesystem::path binaries = {};            // directory of the PostgreSQL binaries
  std::filesystem::path earlier_data = {};        // PGDATA before the primary's last workload
  std::map<std::string, std::string> files = {};  // "sales.orders" -> "base/16384/16390"
  // Expected values of the check row_counts: database, relation, rows.
  std::map<std::string, std::map<std::string, std::int64_t>> rows = {};
  std::vector<std::string> overrides = {};        // scenario overrides, as for `run --set`
  std::map<std::string, std::string> facts = {};  // what was damaged: segment, relation, file, ...
  std::uint64_t minimum_disk = 0;      // bytes that a drill needs; kept free by shrink_disk
  std::function<Laboratory&()> other;  // a second running cluster with its own stanza
  std::vector<std::filesystem::path> directories = {};  // files elsewhere, removed after the fault
  std::vector<std::filesystem::path> mounts = {};       // unmounted after the fault
  CommandRunner& runner;
  std::stop_token stop;
};

RepositoryPlace place_of(const InjectionSite& site);
// Throws Error(internal) if there is none.
Laboratory& primary_of(InjectionSite& site);

}  // namespace pgrehearse
