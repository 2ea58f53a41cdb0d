// Pieces that the options of several commands share.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class Validator;
}

namespace pgrehearse {

// Accepts one of `choices`; the message names them and the nearest one.
CLI::Validator one_of(std::vector<std::string> choices);

}  // namespace pgrehearse
