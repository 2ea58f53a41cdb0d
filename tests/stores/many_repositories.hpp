// A primary that archives to six repositories of one stanza, one of each form that pgBackRest has,
// with a backup in each; and the configurations of hosts that reach one of them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/laboratory/laboratory.hpp"
#include "tests/stores/remote_stores.hpp"
#include "tests/stores/tls_repository_host.hpp"

namespace pgrehearse {

struct RepositoryForm {
  std::string name;
  std::filesystem::path configuration;
  std::string pgbackrest = "pgbackrest";  // the release that knows this form
  int key = 0;                            // for several repositories: the one to use
  std::string secret = {};                // part of it must be nowhere but in its file
};

class ManyRepositories {
 public:
  // Throws when something does not start. `scratch` exists.
  ManyRepositories(const std::filesystem::path& scratch, CommandRunner& runner);

  // The first is a directory of this host.
  [[nodiscard]] const std::vector<RepositoryForm>& forms() const { return forms_; }
  [[nodiscard]] const RepositoryForm& form(const std::string& name) const;
  [[nodiscard]] const Laboratory& laboratory() const { return *laboratory_; }
  [[nodiscard]] const S3Store& s3() const { return *s3_; }
  [[nodiscard]] const SshServer& ssh() const { return *ssh_; }
  // Commit of the newest transaction: where every recovery has to land.
  [[nodiscard]] const std::string& newest_transaction() const { return newest_transaction_; }
  // Writes the configuration of a host: `options` in [global].
  std::filesystem::path write_configuration(const std::string& name, const std::string& options);
  // Where the repositories are stored that are directories of this host.
  [[nodiscard]] std::filesystem::path directory(const std::string& name) const;

 private:
  void start_servers();
  void write_primary_configuration();
  void fill();
  void add_forms();
  void add(RepositoryForm form, const std::string& options);
  [[nodiscard]] std::string encrypted_options(const std::string& prefix) const;

  std::filesystem::path scratch_;
  CommandRunner& runner_;
  std::unique_ptr<Laboratory> laboratory_;
  std::unique_ptr<S3Store> s3_;
  std::unique_ptr<AzureStore> azure_;
  std::unique_ptr<SshServer> ssh_;
  std::unique_ptr<TlsRepositoryHost> tls_;
  std::string newest_transaction_;
  std::vector<RepositoryForm> forms_;
};

// pgBackRest 2.55.1, which install-versions installs.
std::filesystem::path newer_pgbackrest();

}  // namespace pgrehearse
