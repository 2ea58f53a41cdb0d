// SHA256SUMS in a run directory: the hash of every file of a drill, as sha256sum writes and checks
// them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/history/ledger.hpp"
#include "harness/history/ledger_row.hpp"

namespace pgrehearse {

inline constexpr const char* manifest_name = "SHA256SUMS";
inline constexpr const char* scenario_name = "scenario.yaml";
inline constexpr const char* record_name = "report.json";
// The entry of the ledger that covers the manifest, and its signature. Not in the manifest.
inline constexpr const char* entry_name = "ledger-entry";
inline constexpr const char* signature_name = "ledger-entry.sig";

// Replaces the manifest; returns its hash. Throws Error(environment).
std::string write_manifest(const std::filesystem::path& run_directory);

// The directory and the hashes of its files, whose manifest is written.
void set_files(LedgerRow& row, const std::filesystem::path& run_directory);
// The bytes that the hash of `entry` covers, for a signature. Throws Error(environment).
void write_entry(const LedgerEntry& entry, const std::filesystem::path& run_directory);

// What differs from the manifest, whose hash must be `manifest_hash`: "logs/001-pgbackrest.log was
// changed". Empty: nothing.
std::vector<std::string> changes_of(const std::filesystem::path& run_directory,
                                    const std::string& manifest_hash);

}  // namespace pgrehearse
