// main() of all test programs: a run without any test fails, and a run that skipped all of its
// tests does not count as passed.
#include <gtest/gtest.h>

#include <iostream>

namespace {

constexpr int skipped = 77;  // SKIP_RETURN_CODE in CMakeLists.txt

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const int result = RUN_ALL_TESTS();
  if (testing::GTEST_FLAG(list_tests)) return result;
  const auto& all = *testing::UnitTest::GetInstance();
  if (all.test_to_run_count() == 0) {
    std::cerr << "error: no test matches the filter\n";
    return 1;
  }
  if (result == 0 && all.skipped_test_count() == all.test_to_run_count()) return skipped;
  return result;
}
