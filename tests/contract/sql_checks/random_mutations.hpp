// Single changes of the comparison fixture's database, drawn at random.
#pragma once

#include <random>
#include <string>
#include <vector>

namespace pgrehearse {

struct RandomMutation {
  std::string what;                     // for people
  std::vector<std::string> statements;  // in the copy
  std::vector<std::string> found;       // exactly these, as the fixture shows them
  std::vector<std::string> undo = {};   // of what is common to all databases
};

// `database` is the name of the copy's original: its settings and grants are the cluster's.
RandomMutation random_mutation(std::mt19937& random, const std::string& database);

// Work that a healthy primary does.
std::string random_work(std::mt19937& random);

}  // namespace pgrehearse
