#include "tests/engines/test_engine.hpp"

#include <fstream>
#include <string_view>

namespace pgrehearse {

namespace {

TestEngine read_record(const std::string& file) {
  std::string line;
  std::ifstream stream(file);
  if (!std::getline(stream, line)) return {.missing = "not started by ctest"};
  constexpr std::string_view missing = "missing: ";
  constexpr std::string_view impossible = "impossible: ";
  if (line.starts_with(missing)) return {.missing = line.substr(missing.size())};
  if (line.starts_with(impossible)) return {.impossible = line.substr(impossible.size())};
  return {.address = line};
}

}  // namespace

TestEngine docker_for_tests() { return read_record(PGREHEARSE_DOCKER_RECORD); }

TestEngine podman_for_tests() { return read_record(PGREHEARSE_PODMAN_RECORD); }

TestEngine virtual_machine_for_tests() { return read_record(PGREHEARSE_VM_RECORD); }

}  // namespace pgrehearse
