// Where a fault is planted, described by what planting really needs: a laboratory's copy and a copy
// of somebody's own repository look the same from here.
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

// What the repository itself says of what it holds.
struct RepositoryTraits {
  std::string stanza;
  std::vector<std::string> chain = {};  // the sets of one restore: the full one first, it last
  std::uint64_t segment_size = 0;       // bytes of one WAL segment
  std::string first_segment = {};       // where replay of the restored set begins
  std::string last_segment = {};        // where it ends; empty: with the archive
  bool encrypted = false;
};

// Everything below `directory` is thrown away afterwards.
struct InjectionSite {
  // A clone for what damages the primary, otherwise only read; nullptr where nobody's primary may
  // be damaged.
  Laboratory* primary = nullptr;
  std::filesystem::path directory;  // of this fault alone
  std::filesystem::path repository;
  std::filesystem::path configuration;  // pgBackRest's, of that repository
  RepositoryTraits traits;
  Account account;                                // owns the repository, runs the drill
  std::string pgbackrest = "pgbackrest";          // name or path
  std::filesystem::path binaries = {};            // PostgreSQL's programs
  std::filesystem::path earlier_data = {};        // PGDATA as it was before the primary's last work
  std::map<std::string, std::string> files = {};  // "sales.orders" -> "base/16384/16390"
  // What the row_counts check shall expect: database, relation, rows.
  std::map<std::string, std::map<std::string, std::int64_t>> rows = {};
  std::vector<std::string> overrides = {};        // of the scenario, as with `run --set`
  std::map<std::string, std::string> facts = {};  // what was hit: segment, relation, file, ...
  std::uint64_t least_disk = 0;        // bytes that a drill needs; what shrinks a disk leaves them
  std::function<Laboratory&()> other;  // another cluster with a stanza of its own, running
  std::vector<std::filesystem::path> directories = {};  // elsewhere, removed when the fault is done
  std::vector<std::filesystem::path> mounts = {};       // unmounted when the fault is done
  CommandRunner& runner;
  std::stop_token stop;
};

// Throws Error(internal) where there is none: such a fault does not apply.
Laboratory& primary_of(InjectionSite& site);

}  // namespace pgrehearse
