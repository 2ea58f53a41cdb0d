#include "harness/history/evidence/run_manifest.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <map>

#include "harness/common/error.hpp"
#include "harness/common/sha256.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;
using Hashes = std::map<std::string, std::string>;  // file, relative -> SHA-256

[[noreturn]] void refuse(const fs::path& path, const std::string& reason) {
  throw Error(ErrorKind::environment, fmt::format("cannot read '{}': {}", path.string(), reason),
              "run pgrehearse as the account that ran the drill", FindingCode::env_state,
              path.string());
}

bool is_listed(const std::string& file) {
  return file != manifest_name && file != entry_name && file != signature_name &&
         !file.starts_with('.');
}

Hashes hashes_of(const fs::path& directory) {
  Hashes hashes;
  std::error_code failure;
  fs::recursive_directory_iterator entry(directory, failure);
  if (failure) refuse(directory, failure.message());
  for (; entry != fs::recursive_directory_iterator(); entry.increment(failure)) {
    if (entry->symlink_status(failure).type() != fs::file_type::regular) continue;
    const auto file = fs::relative(entry->path(), directory, failure).generic_string();
    if (!is_listed(file)) continue;
    const auto hash = sha256_of_file(entry->path());
    if (!hash) refuse(entry->path(), "permission denied");
    hashes[file] = *hash;
  }
  if (failure) refuse(directory, failure.message());
  return hashes;
}

// sha256sum escapes backslashes and line feeds in names and begins such lines with a backslash.
std::string line_of(const std::string& file, const std::string& hash) {
  std::string name;
  for (const char c : file) {
    if (c == '\\') {
      name += "\\\\";
    } else if (c == '\n') {
      name += "\\n";
    } else {
      name += c;
    }
  }
  return fmt::format("{}{}  {}\n", name == file ? "" : "\\", hash, name);
}

Hashes parse(const std::string& text) {
  constexpr std::size_t hash_length = 64;
  Hashes hashes;
  for (auto line : lines_of(text)) {
    const bool escaped = line.starts_with('\\');
    if (escaped) line.remove_prefix(1);
    if (line.size() < hash_length + 2) continue;
    std::string name;
    for (auto rest = line.substr(hash_length + 2); !rest.empty(); rest.remove_prefix(1)) {
      if (escaped && rest.front() == '\\' && rest.size() > 1) {
        rest.remove_prefix(1);
        name += rest.front() == 'n' ? '\n' : rest.front();
      } else {
        name += rest.front();
      }
    }
    hashes[name] = line.substr(0, hash_length);
  }
  return hashes;
}

}  // namespace

std::string write_manifest(const fs::path& run_directory) {
  std::string text;
  for (const auto& [file, hash] : hashes_of(run_directory)) text += line_of(file, hash);
  const auto part = run_directory / ".SHA256SUMS.part";
  std::ofstream(part, std::ios::binary) << text;
  std::error_code failure;
  fs::rename(part, run_directory / manifest_name, failure);
  if (failure || sha256_of_file(run_directory / manifest_name) != sha256_of(text)) {
    throw Error(ErrorKind::environment,
                fmt::format("cannot write '{}'", (run_directory / manifest_name).string()),
                "free disk space in the state directory", FindingCode::env_state,
                run_directory.string());
  }
  return sha256_of(text);
}

void set_files(LedgerRow& row, const fs::path& run_directory) {
  row.directory = run_directory;
  row.scenario_hash = sha256_of_file(run_directory / scenario_name).value_or("");
  row.manifest_hash = write_manifest(run_directory);
  row.record_hash = sha256_of_file(run_directory / record_name).value_or("");
}

void write_entry(const LedgerEntry& entry, const fs::path& run_directory) {
  const auto file = run_directory / entry_name;
  std::ofstream stream(file, std::ios::binary);
  stream << entry.previous << '\n' << entry.payload << '\n';
  if (stream.flush()) return;
  throw Error(ErrorKind::environment, fmt::format("cannot write '{}'", file.string()),
              "free disk space in the state directory", FindingCode::env_state, file.string());
}

std::vector<std::string> changes_of(const fs::path& run_directory,
                                    const std::string& manifest_hash) {
  std::ifstream stream(run_directory / manifest_name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  std::vector<std::string> changes;
  if (!stream.is_open()) return {fmt::format("{} is missing", manifest_name)};
  if (sha256_of(text) != manifest_hash) {
    changes.push_back(fmt::format("{} was changed", manifest_name));
  }
  const auto now = hashes_of(run_directory);
  const auto then = parse(text);
  for (const auto& [file, hash] : then) {
    const auto found = now.find(file);
    if (found == now.end()) {
      changes.push_back(fmt::format("{} is missing", file));
    } else if (found->second != hash) {
      changes.push_back(fmt::format("{} was changed", file));
    }
  }
  for (const auto& [file, hash] : now) {
    if (!then.contains(file)) changes.push_back(fmt::format("{} was added", file));
  }
  return changes;
}

}  // namespace pgrehearse
