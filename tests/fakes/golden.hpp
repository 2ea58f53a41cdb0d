// Golden files in tests/golden: what a format looks like, reviewed by eye once.
#pragma once

#include <string>

namespace pgrehearse {

// Fails where `actual` differs from tests/golden/<name>. With PGREHEARSE_UPDATE_GOLDEN=1 in the
// environment the file is written instead: look at the difference before it is committed.
void expect_golden(const std::string& name, const std::string& actual);

}  // namespace pgrehearse
