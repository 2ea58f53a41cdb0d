// A Provisioner whose sandboxes exist in memory only: their files are strings, their commands are
// answered by another CommandRunner. Calls, in CallRecord's words: "probe", "create", "list",
// "remove"; of a sandbox: "require_sound", "collect_logs", "destroy", "keep".
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/call_record.hpp"
#include "tests/fakes/scripted_sandbox.hpp"

namespace pgrehearse {

// What a FakeProvisioner and its sandboxes share.
struct FakeHost {
  CallRecord& calls;
  CommandRunner& runner;
  std::mutex mutex;
  std::vector<Leftover> sandboxes;
  std::vector<std::string> stubborn;  // what no removal can remove

  // Forgets the sandbox unless something of it stays.
  Removal remove(const std::string& run_id) {
    const std::lock_guard lock(mutex);
    const auto found = find(run_id);
    if (found == sandboxes.end()) return {};
    Removal removal{.removed = {"directory " + found->root.string()}, .remaining = stubborn};
    if (removal.complete()) {
      sandboxes.erase(found);
    } else {
      found->alive = false;
    }
    return removal;
  }
  std::vector<Leftover>::iterator find(const std::string& run_id) {
    return std::find_if(sandboxes.begin(), sandboxes.end(),
                        [&](const Leftover& one) { return one.run_id == run_id; });
  }
};

class FakeSandbox : public ScriptedSandbox {
 public:
  FakeSandbox(FakeHost& host, const SandboxSpec& spec)
      : ScriptedSandbox(host.runner, spec.directory / spec.run_id, spec), host_(host) {}
  FakeSandbox(const FakeSandbox&) = delete;
  FakeSandbox& operator=(const FakeSandbox&) = delete;
  ~FakeSandbox() override {
    if (!kept_ && !removal_) FakeSandbox::destroy();
  }

  void require_sound(std::stop_token) override { host_.calls.made("require_sound"); }
  void collect_logs(const std::filesystem::path&) override { host_.calls.made("collect_logs"); }
  Removal destroy() override {
    host_.calls.made("destroy");
    if (!removal_) removal_ = host_.remove(spec().run_id);
    return *removal_;
  }
  void keep() override {
    host_.calls.made("keep");
    const std::lock_guard lock(host_.mutex);
    const auto entry = host_.find(spec().run_id);
    entry->kept = true;
    entry->alive = false;
    kept_ = true;
  }

 private:
  FakeHost& host_;
  bool kept_ = false;
  std::optional<Removal> removal_;
};

class FakeProvisioner : public Provisioner {
 public:
  // Both outlive the provisioner, which outlives its sandboxes.
  FakeProvisioner(CallRecord& calls, CommandRunner& runner)
      : host_{.calls = calls, .runner = runner, .mutex = {}, .sandboxes = {}, .stubborn = {}} {}

  std::string probe(const SandboxSpec& spec, std::stop_token) override {
    host_.calls.made("probe");
    return fmt::format("a fake of PostgreSQL {}", spec.postgres_major);
  }
  std::unique_ptr<Sandbox> create(const SandboxSpec& spec, std::stop_token stop) override {
    host_.calls.made("create");
    if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "interrupted");
    {
      const std::lock_guard lock(host_.mutex);
      if (host_.find(spec.run_id) != host_.sandboxes.end()) {
        throw Error(ErrorKind::environment, "there is a sandbox " + spec.run_id);
      }
      host_.sandboxes.push_back({.run_id = spec.run_id,
                                 .type = spec.type,
                                 .scenario = spec.scenario,
                                 .root = spec.directory / spec.run_id,
                                 .alive = true});
    }
    auto sandbox = std::make_unique<FakeSandbox>(host_, spec);
    newest_ = sandbox.get();
    return sandbox;
  }
  [[nodiscard]] std::vector<Leftover> list() const override {
    host_.calls.made("list");
    const std::lock_guard lock(host_.mutex);
    return host_.sandboxes;
  }
  Removal remove(const Leftover& leftover) override {
    host_.calls.made("remove");
    if (leftover.alive) {
      throw Error(ErrorKind::environment, "the drill " + leftover.run_id + " still runs");
    }
    return host_.remove(leftover.run_id);
  }

  // The one that was created last; nullptr before the first. Valid while that sandbox exists.
  [[nodiscard]] FakeSandbox* newest() const { return newest_; }
  // Every later removal fails to remove this.
  void add_leftover(const std::string& what) {
    const std::lock_guard lock(host_.mutex);
    host_.stubborn.push_back(what);
  }

 private:
  mutable FakeHost host_;
  FakeSandbox* newest_ = nullptr;
};

}  // namespace pgrehearse
