#include "tests/contract/provisioner_kinds.hpp"

#include <unistd.h>

#include <cstdlib>

#include "harness/common/error.hpp"
#include "harness/postgres/binaries.hpp"
#include "harness/sandbox/container/container_provisioner.hpp"
#include "harness/sandbox/local/local_provisioner.hpp"
#include "harness/sandbox/vm/vm_provisioner.hpp"
#include "tests/engines/test_engine.hpp"
#include "tests/fakes/fake_provisioner.hpp"

namespace pgrehearse {

namespace {

std::string missing_for_local() {
  if (installed_majors().empty()) return "no PostgreSQL is installed";
  try {
    if (geteuid() == 0) find_account("postgres");
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

std::string nothing() { return {}; }

std::string missing_for_docker() { return docker_for_tests().missing; }

std::string impossible_for_docker() { return docker_for_tests().impossible; }

std::unique_ptr<Provisioner> make_docker(CommandRunner& runner,
                                         const std::filesystem::path& state) {
  setenv("DOCKER_HOST", docker_for_tests().address.c_str(), 1);
  return std::make_unique<ContainerProvisioner>(EngineKind::docker, runner, state);
}

std::string missing_for_podman() { return podman_for_tests().missing; }

std::string impossible_for_podman() { return podman_for_tests().impossible; }

std::unique_ptr<Provisioner> make_podman(CommandRunner& runner,
                                         const std::filesystem::path& state) {
  setenv("CONTAINER_HOST", podman_for_tests().address.c_str(), 1);
  return std::make_unique<ContainerProvisioner>(EngineKind::podman, runner, state);
}

std::string missing_for_vm() { return virtual_machine_for_tests().missing; }

std::string impossible_for_vm() { return virtual_machine_for_tests().impossible; }

SandboxOptions local_options() { return LocalOptions{}; }

SandboxOptions container_options() { return ContainerOptions{}; }

SandboxOptions vm_options() { return VmOptions{.image = virtual_machine_for_tests().address}; }

std::unique_ptr<Provisioner> make_vm(CommandRunner& runner, const std::filesystem::path& state) {
  return std::make_unique<VmProvisioner>(runner, state);
}

struct FakeCalls {
  CallRecord calls;
};

// Owns what a FakeProvisioner refers to.
class SelfContainedFake : private FakeCalls, public FakeProvisioner {
 public:
  explicit SelfContainedFake(CommandRunner& runner) : FakeProvisioner(FakeCalls::calls, runner) {}
};

std::unique_ptr<Provisioner> make_fake(CommandRunner& runner,
                                       const std::filesystem::path& /*state*/) {
  return std::make_unique<SelfContainedFake>(runner);
}

std::unique_ptr<Provisioner> make_local(CommandRunner& runner, const std::filesystem::path& state) {
  return std::make_unique<LocalProvisioner>(runner, state);
}

}  // namespace

std::vector<ProvisionerKind> provisioner_kinds() {
  return {{.name = "local",
           .missing = missing_for_local,
           .impossible = nothing,
           .make = make_local,
           .options = local_options,
           .removed_process = " sleep"},
          {.name = "docker",
           .missing = missing_for_docker,
           .impossible = impossible_for_docker,
           .make = make_docker,
           .options = container_options,
           .shares_memory = false,
           .removed_process = "container pgrehearse-",
           .attempts_to_kill = 6,
           .longest_request = std::chrono::seconds(5)},
          {.name = "podman",
           .missing = missing_for_podman,
           .impossible = impossible_for_podman,
           .make = make_podman,
           .options = container_options,
           .shares_memory = false,
           .removed_process = "container pgrehearse-",
           .attempts_to_kill = 2,
           .longest_request = std::chrono::seconds(5)},
          {.name = "vm",
           .missing = missing_for_vm,
           .impossible = impossible_for_vm,
           .make = make_vm,
           .options = vm_options,
           .shares_memory = false,
           .removed_process = " qemu-system",
           .attempts_to_kill = 2,
           .lasting_file = "machine/disk"}};
}

std::vector<ProvisionerKind> provisioner_kinds_and_fake() {
  auto kinds = provisioner_kinds();
  kinds.push_back({.name = "fake",
                   .missing = nothing,
                   .impossible = nothing,
                   .make = make_fake,
                   .options = local_options});
  return kinds;
}

std::vector<ProvisionerKind> container_kinds() {
  auto kinds = provisioner_kinds();
  std::erase_if(kinds, [](const auto& kind) { return kind.shares_memory || kind.name == "vm"; });
  return kinds;
}

}  // namespace pgrehearse
