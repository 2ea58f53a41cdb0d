// CTest's set-up and clean-up of the drill tests: `drill_laboratory up|down RECORD`.
#include <exception>
#include <filesystem>
#include <iostream>
#include <string_view>

#include "tests/drills/shared_laboratory.hpp"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: drill_laboratory up|down RECORD\n";
    return 3;
  }
  try {
    const std::filesystem::path record(argv[2]);
    // Leftovers of an interrupted test run.
    if (std::filesystem::exists(record)) pgrehearse::remove_shared_laboratory(record);
    if (std::string_view(argv[1]) == "up") pgrehearse::build_shared_laboratory(record);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
