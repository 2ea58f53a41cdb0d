// The container engines and the virtual machine image that CTest's fixtures provide.
#pragma once

#include <string>

namespace pgrehearse {

struct TestEngine {
  std::string address;     // empty: not available
  std::string missing;     // the reason, when installing a package would help
  std::string impossible;  // the reason, when this machine cannot provide it
};

// Read the records that the fixtures wrote.
TestEngine docker_for_tests();
TestEngine podman_for_tests();
// The address is the directory of the image.
TestEngine virtual_machine_for_tests();

}  // namespace pgrehearse
