// Feeds every stored input to its target once, in an ordinary build: `fuzz_replay CORPUS`, with one
// directory per target.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/targets.hpp"

namespace {

namespace fs = std::filesystem;

std::size_t replay(const pgrehearse::FuzzTarget& target, const fs::path& directory) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory)) files.push_back(entry.path());
  std::ranges::sort(files);
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    const std::string input{std::istreambuf_iterator<char>(in), {}};
    try {
      target.feed(input);
    } catch (const std::exception& failure) {
      std::cerr << file.native() << ": " << failure.what() << '\n';
      return 0;
    }
  }
  return files.size();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: fuzz_replay CORPUS\n";
    return 3;
  }
  bool all = true;
  for (const auto& target : pgrehearse::fuzz_targets()) {
    const auto fed = replay(target, fs::path(arguments[1]) / target.name);
    std::cout << target.name << ": " << fed << " inputs\n";
    all = all && fed > 0;
  }
  return all ? 0 : 1;
}
