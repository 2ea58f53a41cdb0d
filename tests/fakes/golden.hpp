// Golden files in tests/golden: the reviewed output of each format.
#pragma once

#include <string>

namespace pgrehearse {

// Fails where `actual` differs from tests/golden/<name>. With PGREHEARSE_UPDATE_GOLDEN=1 in the
// environment the file is written instead: review the difference before committing it.
void expect_golden(const std::string& name, const std::string& actual);

}  // namespace pgrehearse
