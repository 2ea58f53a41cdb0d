// Single changes at random: each is found and named, and nothing else. And no false alarm where
// nothing was changed. PGREHEARSE_RANDOM_RUNS=100 runs a hundred of each, and shows them;
// PGREHEARSE_RANDOM_SEED repeats a run.
#include "tests/contract/sql_checks/random_mutations.hpp"

#include <fmt/ranges.h>

#include "tests/contract/sql_checks/comparison_fixture.hpp"

namespace pgrehearse {
namespace {

unsigned number_from(const char* variable, unsigned otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::stoul(text));
}

class RandomMutationTest : public ComparisonTest {
 protected:
  RandomMutationTest()
      : runs(number_from("PGREHEARSE_RANDOM_RUNS", 12)),
        seed(number_from("PGREHEARSE_RANDOM_SEED", std::random_device{}())),
        random(seed) {}

  void show(unsigned run, const std::string& text) const {
    if (std::getenv("PGREHEARSE_RANDOM_RUNS") != nullptr) fmt::print("{:4} {}\n", run, text);
  }
  void drop_copy() {
    copy_cluster().execute("postgres", {"drop database " + copy});
    copy.clear();
  }

  unsigned runs;
  unsigned seed;
  std::mt19937 random;
};

TEST_F(RandomMutationTest, EachIsFoundAndNamedAndNothingElse) {
  unsigned named = 0;
  for (unsigned run = 1; run <= runs; ++run) {
    const auto mutation = random_mutation(random, original);
    make_copy();
    copy_cluster().execute(copy, mutation.statements);
    const auto found = compare();
    copy_cluster().execute("postgres", mutation.undo);
    EXPECT_THAT(found, testing::UnorderedElementsAreArray(mutation.found))
        << mutation.what << ", seed " << seed;
    auto expected = mutation.found;
    auto sorted = found;
    std::sort(expected.begin(), expected.end());
    std::sort(sorted.begin(), sorted.end());
    named += sorted == expected ? 1 : 0;
    show(run, fmt::format("{} -> {}", mutation.what, fmt::join(found, ", ")));
    drop_copy();
  }
  fmt::print("{} of {} single mutations found and named, and nothing else (seed {})\n", named, runs,
             seed);
}

TEST_F(RandomMutationTest, ACleanCopyIsNoFalseAlarm) {
  unsigned clean = 0;
  for (unsigned run = 1; run <= runs; ++run) {
    const auto work = random_work(random);
    copy_cluster().execute(original, {work});
    FingerprintRules rules;
    if (run % 3 == 0) {
      rules.sample = {.percentage = 20, .seed = run};
      rules.relation = [](auto, auto, auto) { return Coverage::sampled; };
    }
    const auto taken = take("postgres", std::move(rules));
    make_copy();
    const auto found = compare(taken);
    EXPECT_THAT(found, testing::IsEmpty()) << "after " << work << ", seed " << seed;
    clean += found.empty() ? 1 : 0;
    show(run, fmt::format("{} -> {} differences", work, found.size()));
    drop_copy();
  }
  fmt::print("{} of {} clean comparisons without a difference (seed {})\n", clean, runs, seed);
}

}  // namespace
}  // namespace pgrehearse
