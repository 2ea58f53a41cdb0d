#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "harness/faults/damage/damage.hpp"
#include "harness/faults/fault_parser.hpp"
#include "scenarios/embedded.hpp"

namespace pgrehearse {
namespace {

std::vector<Fault> shipped() {
  std::vector<Fault> faults;
  for (const auto& file : embedded::fault_files()) {
    faults.push_back(parse_fault(std::string(file.text), std::string(file.name)));
  }
  return faults;
}

TEST(FaultCatalogue, EveryFileIsNamedLikeItsFault) {
  std::set<std::string> names;
  for (const auto& file : embedded::fault_files()) {
    const auto fault = parse_fault(std::string(file.text), std::string(file.name));
    EXPECT_EQ(fault.name + ".yaml", file.name);
    EXPECT_FALSE(fault.damage.empty()) << file.name;
    EXPECT_TRUE(names.insert(fault.name).second) << file.name;
  }
  EXPECT_GE(names.size(), 60U);
}

TEST(FaultCatalogue, EveryActionOfTheTableIsUsed) {
  std::set<std::string> used;
  for (const auto& fault : shipped()) {
    for (const auto& request : fault.damage) used.insert(request.action);
  }
  for (const auto& action : damage_table()) {
    EXPECT_EQ(used.count(std::string(action.name)), 1U) << action.name;
  }
}

TEST(FaultCatalogue, FaultsThatMustNotPassExpectACode) {
  for (const auto& fault : shipped()) {
    EXPECT_TRUE(fault.expect.verdict == Verdict::pass || !fault.expect.codes.empty()) << fault.name;
  }
}

TEST(FaultCatalogue, PageListsEveryFault) {
  std::ifstream page(PGREHEARSE_FAULTS_PAGE);
  const std::string text{std::istreambuf_iterator<char>(page), {}};
  for (const auto& fault : shipped()) {
    EXPECT_NE(text.find("| `" + fault.name + "` | " + fault.summary), std::string::npos)
        << fault.name << ": pgrehearse prove --compare --markdown docs/faults.md";
  }
}

TEST(FaultParser, UnknownActionIsReported) {
  try {
    parse_fault(
        "name: x\nsummary: x\nsource: x\nphase: archive\ndamage: [remove_segmnt]\n"
        "expect: { verdict: fail, code: PGR-WAL-GAP }\n",
        "x.yaml");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("remove_segmnt"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace pgrehearse
