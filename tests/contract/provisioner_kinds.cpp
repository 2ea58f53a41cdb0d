#include "tests/contract/provisioner_kinds.hpp"

#include <unistd.h>

#include "harness/common/error.hpp"
#include "harness/postgres/binaries.hpp"
#include "harness/sandbox/local_provisioner.hpp"

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

std::unique_ptr<Provisioner> make_local(CommandRunner& runner, const std::filesystem::path& state) {
  return std::make_unique<LocalProvisioner>(runner, state);
}

}  // namespace

std::vector<ProvisionerKind> provisioner_kinds() {
  return {{.name = "local", .missing = missing_for_local, .make = make_local}};
}

}  // namespace pgrehearse
