// Validators shared by several commands.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class Validator;
}

namespace pgrehearse {

// Accepts one of `choices`; the error message lists them and the nearest match.
CLI::Validator one_of(std::vector<std::string> choices);

}  // namespace pgrehearse
