// A cluster with a small shop in a local sandbox, and the means to damage it between a stop and a
// start.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/postgres/relation_files.hpp"
#include "harness/process/boost_command_runner.hpp"
#include "harness/sandbox/instance.hpp"
#include "harness/sandbox/local/local_provisioner.hpp"

namespace pgrehearse {

class DamagedCluster {
 public:
  // Why it is unavailable on this host; empty if it is available.
  static std::string missing();

  // Running, with checksums, with the database "shop" and the extension amcheck in it.
  DamagedCluster();
  ~DamagedCluster();
  DamagedCluster(const DamagedCluster&) = delete;
  DamagedCluster& operator=(const DamagedCluster&) = delete;

  void start();
  void stop();               // remembers which file belongs to which relation
  void disable_checksums();  // of the stopped cluster

  [[nodiscard]] Connection connect(const std::string& database);
  void execute(const std::string& database, const std::vector<std::string>& statements);
  // A relation's file below PGDATA, with the database's name in front: "base/5/16384".
  [[nodiscard]] std::string file_of(const std::string& relation);
  // Turns every bit of one byte of a file below PGDATA.
  void flip(const std::string& file, std::uint64_t offset);
  void truncate(const std::string& file, std::uint64_t size);
  [[nodiscard]] std::string content_of(const std::string& file) const;
  void replace(const std::string& file, const std::string& content);

  [[nodiscard]] Sandbox& sandbox() { return *sandbox_; }
  [[nodiscard]] Instance& instance() { return *instance_; }
  [[nodiscard]] const ControlData& control() const { return control_; }
  [[nodiscard]] const RelationFiles& files() const { return files_; }

 private:
  void run(std::string_view program, std::vector<std::string> arguments);
  void fill();

  std::filesystem::path scratch_;
  BoostCommandRunner runner_;
  std::unique_ptr<LocalProvisioner> provisioner_;
  std::unique_ptr<Sandbox> sandbox_;
  std::unique_ptr<Instance> instance_;
  ControlData control_;
  RelationFiles files_;
};

}  // namespace pgrehearse
