// Whether a restored sequence has the position of the primary's.
#pragma once

#include <optional>
#include <string>

#include "harness/primary/fingerprint/fingerprint.hpp"

namespace pgrehearse {

enum class SequenceVerdict {
  same,
  below,           // it would return values again
  above,           // values would be lost
  not_comparable,  // it was restarted or set back while the fingerprint was taken
};

// `expected` was read just before and just after the snapshot; `actual` in the copy that is paused
// there.
SequenceVerdict compare_sequence(const SequenceState& expected, const SequenceReading& actual);

// "at 100, 32 logged ahead"
std::string to_text(const SequenceReading& reading);

}  // namespace pgrehearse
