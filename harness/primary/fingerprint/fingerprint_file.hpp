// A fingerprint as JSON lines, "pgrehearse.fingerprint/1": a header; per database, ordered by name,
// a line with its snapshot, then its catalog entries, sequences and relations ordered by name; a
// last line with counts, by which a truncated file is detected. Written and read line by line, in
// constant memory.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>
#include <variant>

#include "harness/primary/fingerprint/fingerprint.hpp"

namespace pgrehearse {

// A kind of catalog entry that could not be listed.
struct CatalogGap {
  std::string kind;
  std::string error;
};

using FingerprintLine = std::variant<FingerprintHeader, DatabaseFingerprint, CatalogEntry,
                                     CatalogGap, SequenceState, RelationContent>;

class FingerprintWriter {
 public:
  // Writes the header. `out` outlives this object.
  FingerprintWriter(std::ostream& out, const FingerprintHeader& header);
  void write(const DatabaseFingerprint& database);
  void write(const CatalogEntry& entry);
  void write(const CatalogGap& gap);
  void write(const SequenceState& sequence);
  void write(const RelationContent& relation);
  // Writes the last line. Throws Error(environment) when anything could not be written.
  void finish();

 private:
  std::ostream& out_;
  std::uint64_t databases_ = 0;
  std::uint64_t entries_ = 0;
  std::uint64_t sequences_ = 0;
  std::uint64_t relations_ = 0;
};

class FingerprintReader {
 public:
  // Reads the header. Throws Error(usage) with `name` and the line when it is not a fingerprint of
  // this version.
  FingerprintReader(std::unique_ptr<std::istream> input, std::string name);
  ~FingerprintReader();
  FingerprintReader(const FingerprintReader&) = delete;
  FingerprintReader& operator=(const FingerprintReader&) = delete;

  [[nodiscard]] const FingerprintHeader& header() const { return header_; }
  // Skips to a database: next() returns its line. False: not found, and the file was read to its
  // end. May be called once, instead of reading from the start.
  bool seek(std::string_view database);
  // The next line, nullptr after the last; valid until the next call. Throws Error(usage) on an
  // invalid line, and at the end of a truncated file.
  const FingerprintLine* next();

 private:
  [[noreturn]] void refuse(const std::string& why) const;
  void check_end(const std::string& line);
  bool read_line();

  std::unique_ptr<std::istream> input_;
  std::string name_;
  std::uint64_t line_ = 0;
  FingerprintHeader header_;
  FingerprintLine current_;
  std::string text_;
  bool held_ = false;  // text_ is the line that next() returns
  bool skipped_ = false;
  bool ended_ = false;
  std::uint64_t databases_ = 0;
  std::uint64_t entries_ = 0;
  std::uint64_t sequences_ = 0;
  std::uint64_t relations_ = 0;
};

// The databases of a fingerprint. Reads all of it, which proves that it is complete.
std::vector<DatabaseFingerprint> databases_of(FingerprintReader& reader);

}  // namespace pgrehearse
