// The output formats of the results.
#pragma once

#include <iosfwd>

#include "harness/faults/proof/proof.hpp"

namespace pgrehearse {

// One line for progress and text output: "detected wal-segment-missing  fail ...".
std::string line_of(const FaultResult& result);
std::string line_of(const CleanRun& run);

// Whether the repository is unchanged, as a clause.
std::string summary_of(const OriginalRepository& original);

void write_proof_text(const ProofScore& score, std::ostream& out);
void write_proof_json(const ProofScore& score, std::ostream& out);
// proof_page.cpp: docs/faults.md.
void write_proof_page(const ProofScore& score, std::ostream& out);
void write_proof_junit(const ProofScore& score, std::ostream& out);

}  // namespace pgrehearse
