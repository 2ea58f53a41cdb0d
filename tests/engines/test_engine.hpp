// The container engines that CTest's fixtures have started for the tests, and the image of a
// virtual machine that they have made.
#pragma once

#include <string>

namespace pgrehearse {

struct TestEngine {
  std::string address;     // empty: there is none
  std::string missing;     // why; to be repaired by installing something
  std::string impossible;  // why; nothing can be done on this machine
};

// From the records that the fixtures wrote.
TestEngine docker_for_tests();
TestEngine podman_for_tests();
// The address is the image's directory.
TestEngine machine_for_tests();

}  // namespace pgrehearse
