// Removes what killed drills have left in clusters.
#pragma once

#include <filesystem>

#include "harness/sandbox/registry.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

class PodLeftovers : public LeftoverCleaner {
 public:
  // `runner` outlives it.
  PodLeftovers(CommandRunner& runner, const std::filesystem::path& state)
      : runner_(runner), registry_(state) {}

  // The registered runs; does not connect to a cluster.
  [[nodiscard]] std::vector<Leftover> list() const override;
  Removal remove(const Leftover& leftover) override;

 private:
  CommandRunner& runner_;
  Registry registry_;
};

}  // namespace pgrehearse
