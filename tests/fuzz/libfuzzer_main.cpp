// Entry point of libFuzzer: `fuzz --target=NAME [libFuzzer's options] CORPUS...`.
#include <cstdint>
#include <iostream>
#include <string_view>

#include "tests/fuzz/targets.hpp"

namespace {

const pgrehearse::FuzzTarget* target = nullptr;

}  // namespace

// libFuzzer calls these two by their names.
// NOLINTBEGIN(readability-identifier-naming)

// libFuzzer ignores options that begin with two dashes.
extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  constexpr std::string_view option = "--target=";
  for (int i = 1; i < *count; ++i) {
    const std::string_view argument((*arguments)[i]);
    if (argument.starts_with(option)) {
      target = pgrehearse::find_fuzz_target(argument.substr(option.size()));
    }
  }
  if (target != nullptr) return 0;
  std::cerr << "usage: fuzz --target=NAME [libFuzzer's options] CORPUS...\n";
  for (const auto& each : pgrehearse::fuzz_targets()) {
    std::cerr << "  " << each.name << ": " << each.feeds << '\n';
  }
  std::exit(3);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  target->feed({reinterpret_cast<const char*>(data), size});
  return 0;
}

// NOLINTEND(readability-identifier-naming)
