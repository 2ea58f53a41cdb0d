#include "harness/faults/repository_copies.hpp"

#include <fmt/format.h>

#include "harness/common/error.hpp"
#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/sandbox_files.hpp"

namespace pgrehearse {

RepositoryCopies::RepositoryCopies(RepositoryCopy copy, CommandRunner& runner)
    : copy_(std::move(copy)), runner_(runner) {}

Laboratory& RepositoryCopies::other(const std::stop_token& stop) {
  std::call_once(other_built_, [&] {
    auto laboratory = Laboratory::create({.id = copy_.id + "-other",
                                          .state = copy_.state,
                                          .directory = copy_.root,
                                          .account = copy_.account.name,
                                          .postgres_major = copy_.postgres_major,
                                          .binaries = copy_.binaries,
                                          .pgbackrest = copy_.pgbackrest,
                                          .stanza = copy_.traits.stanza,
                                          .wal_segment_size = {copy_.traits.segment_size}},
                                         runner_, stop);
    laboratory->start(stop);
    laboratory->create_stanza(stop);
    laboratory->switch_wal_and_wait(stop);
    other_ = std::move(laboratory);
  });
  return *other_;
}

std::unique_ptr<InjectedFault> RepositoryCopies::site_for(const std::string& name,
                                                          const std::stop_token& stop) {
  const auto directory = copy_.root / name;
  InjectionSite site{.directory = directory,
                     .repository = directory / "repository",
                     .configuration = directory / "pgbackrest.conf",
                     .traits = copy_.traits,
                     .account = copy_.account,
                     .pgbackrest = copy_.pgbackrest,
                     .binaries = copy_.binaries,
                     .facts = copy_.facts,
                     .minimum_disk = copy_.drill.minimum_disk.count,
                     .other = [this, stop]() -> Laboratory& { return other(stop); },
                     .runner = runner_,
                     .stop = stop};
  site.facts["configuration"] = site.configuration.native();
  site.facts["tool"] = "pgbackrest";
  make_private_directory(directory, copy_.account);
  for (const auto* part : {"own", "own/lock", "own/log", "own/spool"}) {
    make_private_directory(directory / part, copy_.account);
  }
  auto injected = std::make_unique<InjectedFault>(std::move(site), nullptr);
  link_repository(copy_.repository, injected->site.repository, injected->site);
  write_file_of(copy_.account, injected->site.configuration,
                configuration_of_copy(copy_.original, injected->site.repository, directory / "own"),
                0600);
  return injected;
}

void RepositoryCopies::finish(InjectedFault& injected) const {
  auto& site = injected.site;
  auto all = copy_.overrides;
  all.push_back("repository.config=" + site.configuration.native());
  all.emplace_back("repository.repo=1");
  all.insert(all.end(), site.overrides.begin(), site.overrides.end());
  site.overrides = std::move(all);
  injected.scenario = copy_.scenario;
}

std::unique_ptr<InjectedFault> RepositoryCopies::inject(const Fault& fault, const std::string& name,
                                                        const std::stop_token& stop) {
  const auto reason = why_not_applicable(fault, copy_.traits, copy_.drill);
  if (!reason.empty()) throw DoesNotApply(reason);
  auto injected = site_for(name, stop);
  inject_stage(fault, DamageStage::repository, injected->site);
  inject_stage(fault, DamageStage::drill, injected->site);
  add_overrides_of(fault, injected->site);
  finish(*injected);
  return injected;
}

std::unique_ptr<InjectedFault> RepositoryCopies::control_of(const Fault& /*fault*/,
                                                            const std::string& name,
                                                            const std::stop_token& stop) {
  return control(name, stop);
}

std::unique_ptr<InjectedFault> RepositoryCopies::control(const std::string& name,
                                                         const std::stop_token& stop) {
  auto injected = site_for(name, stop);
  finish(*injected);
  return injected;
}

}  // namespace pgrehearse
