#include "harness/faults/tool_applicability.hpp"

#include <algorithm>
#include <array>

namespace pgrehearse {

namespace {

struct Question {
  const Fault& fault;
  const DamageRequest& request;
  bool barman = false;

  [[nodiscard]] bool is(std::string_view action) const { return request.action == action; }
  [[nodiscard]] bool has(std::string_view key, std::string_view value) const {
    return request.settings.get_or<std::string>(key, "") == value;
  }
  [[nodiscard]] bool sets(std::string_view key) const {
    const auto values = request.settings.get_or<std::vector<std::string>>("values", {});
    return std::ranges::any_of(values, [&](const auto& value) { return value.starts_with(key); });
  }
};

struct Obstacle {
  bool (*applies)(const Question& question) = nullptr;
  std::string_view reason;
};

constexpr auto obstacles = std::to_array<Obstacle>({
    {[](const Question& asked) { return asked.fault.laboratory == "encrypted"; },
     "the tool does not encrypt backups"},
    {[](const Question& asked) { return asked.is("configure_pgbackrest"); },
     "an option of pgBackRest"},
    {[](const Question& asked) { return asked.is("back_up_offline"); },
     "the tool takes no backup of a stopped server"},
    {[](const Question& asked) { return asked.is("upgrade_stanza"); },
     "only pgBackRest has a command that moves a repository to another cluster"},
    {[](const Question& asked) {
       return asked.is("damage_record") && asked.has("file", "archive.info");
     },
     "the WAL archive has no metadata file that a restore reads"},
    {[](const Question& asked) { return asked.is("damage_record") && asked.has("copies", "main"); },
     "the tool stores one copy of the file"},
    {[](const Question& asked) {
       return asked.is("remove_backup") && !asked.has("which", "newest");
     },
     "no backup of the tool depends on another"},
    {[](const Question& asked) { return asked.is("remove_backup") && !asked.barman; },
     "backups are listed nowhere but in their directory"},
    {[](const Question& asked) { return asked.is("duplicate_segment"); },
     "the archive has one file per segment name"},
    {[](const Question& asked) { return asked.sets("repository.stanza") && !asked.barman; },
     "a directory of backups has no stanza"},
    {[](const Question& asked) { return asked.sets("repository.binary") && !asked.barman; },
     "no backup tool is called"},
    {[](const Question& asked) {
       return asked.is("wrap_tool") && asked.has("call", "restore") && !asked.barman;
     },
     "no backup tool is called: a restore copies files"},
    {[](const Question& asked) {
       return asked.is("wrap_tool") && asked.has("call", "archive_get") && asked.barman;
     },
     "Barman is not called for WAL: it is read from the archive's directory"},
    {[](const Question& asked) { return asked.fault.name == "repository-host-unreachable"; },
     "a repository of the tool is on this host"},
});

}  // namespace

std::string why_not_applicable(const Fault& fault, BackupTool tool) {
  if (tool == BackupTool::pgbackrest) return {};
  for (const auto& obstacle : obstacles) {
    for (const auto& request : fault.damage) {
      if (obstacle.applies({fault, request, tool == BackupTool::barman})) {
        return std::string(obstacle.reason);
      }
    }
  }
  return {};
}

}  // namespace pgrehearse
