#include "harness/serve/scenario_directory.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <system_error>

#include "harness/common/text.hpp"
#include "harness/scenario/language/scenario_errors.hpp"
#include "harness/scenario/scenario_parser.hpp"
#include "harness/serve/state_file.hpp"

namespace pgrehearse {

namespace {

bool is_scenario_file(const std::filesystem::path& path) {
  const auto extension = path.extension();
  return (extension == ".yaml" || extension == ".yml") &&
         !path.filename().native().starts_with('.');
}

std::string signature_of(const std::filesystem::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return "unreadable";
  return fmt::format("{}:{}:{}:{}.{}:{}.{}", status.st_dev, status.st_ino, status.st_size,
                     status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
                     status.st_ctim.tv_nsec);
}

std::vector<std::string> messages_of(const Error& error) {
  const auto* errors = dynamic_cast<const ScenarioErrors*>(&error);
  if (errors == nullptr) return {error.what()};
  std::vector<std::string> messages;
  for (const auto& entry : errors->entries()) {
    messages.push_back(fmt::format("{}: {}{}", to_text(entry.position), entry.message,
                                   entry.hint.empty() ? "" : " (" + entry.hint + ")"));
  }
  return messages;
}

}  // namespace

ScenarioDirectory::ScenarioDirectory(std::filesystem::path directory, std::filesystem::path copies,
                                     Parser parse)
    : directory_(std::move(directory)), copies_(std::move(copies)), parse_(std::move(parse)) {}

std::filesystem::path ScenarioDirectory::copy_of(const std::filesystem::path& path) const {
  return copies_ / path.filename();
}

bool ScenarioDirectory::refresh(bool all) {
  std::set<std::filesystem::path> found;
  std::error_code failure;
  auto entries = std::filesystem::directory_iterator(directory_, failure);
  for (; !failure && entries != std::filesystem::directory_iterator(); entries.increment(failure)) {
    if (is_scenario_file(entries->path())) found.insert(entries->path());
  }
  const auto error =
      failure ? fmt::format("{}: cannot be read: {}", directory_.string(), failure.message())
              : std::string();
  bool changed = error != directory_error_;
  directory_error_ = error;
  // What was read before stays in force.
  if (failure) return changed;
  changed |= std::erase_if(files_, [&](const auto& file) {
               if (found.contains(file.first)) return false;
               if (!copies_.empty()) std::filesystem::remove(copy_of(file.first), failure);
               return true;
             }) > 0;
  for (const auto& path : found) {
    const auto signature = signature_of(path);
    auto& file = files_[path];
    if (file.signature == signature && !all) continue;
    file.signature = signature;
    read(path, file);
    changed = true;
  }
  if (changed) find_duplicates();
  return changed;
}

void ScenarioDirectory::read(const std::filesystem::path& path, File& file) {
  try {
    const auto text = read_scenario_text(path);
    file.in_force = ScenarioInForce{.scenario = parse_(text, path), .file = path};
    file.errors.clear();
    if (!copies_.empty()) write_state_file(copy_of(path), text);
  } catch (const Error& error) {
    file.errors = messages_of(error);
    if (file.in_force) {
      file.in_force->file = copy_of(path);
    } else {
      recover_copy(path, file);
    }
  }
}

// The last valid version that an earlier scheduler read.
void ScenarioDirectory::recover_copy(const std::filesystem::path& path, File& file) {
  const auto text = copies_.empty() ? std::nullopt : read_state_file(copy_of(path));
  if (!text) return;
  try {
    file.in_force = ScenarioInForce{.scenario = parse_(*text, path), .file = copy_of(path)};
  } catch (const Error&) {
    // Nor is that valid any more, for example after an update.
  }
}

// Runs are stored under the scenario's name. The first file by name keeps it.
void ScenarioDirectory::find_duplicates() {
  std::map<std::string, std::filesystem::path> owners;
  for (auto& [path, file] : files_) {
    file.duplicate.clear();
    if (!file.in_force) continue;
    const auto [owner, is_new] = owners.emplace(file.in_force->scenario.name, path);
    if (is_new) continue;
    file.duplicate = fmt::format(
        "{}: the scenario '{}' is already defined in {} (give each "
        "scenario its own `name`)",
        path.string(), owner->first, owner->second.string());
  }
}

std::vector<const ScenarioInForce*> ScenarioDirectory::scenarios() const {
  std::vector<const ScenarioInForce*> list;
  for (const auto& [path, file] : files_) {
    if (file.in_force && file.duplicate.empty()) list.push_back(&*file.in_force);
  }
  std::ranges::sort(list, {}, [](const auto* entry) { return entry->scenario.name; });
  return list;
}

std::vector<ScenarioFileError> ScenarioDirectory::errors() const {
  std::vector<ScenarioFileError> list;
  if (!directory_error_.empty()) {
    list.push_back({.file = directory_, .messages = {directory_error_}, .previous_version_of = ""});
  }
  for (const auto& [path, file] : files_) {
    auto messages = file.errors;
    if (!file.duplicate.empty()) messages.push_back(file.duplicate);
    if (messages.empty()) continue;
    const bool in_force = file.in_force && file.duplicate.empty();
    list.push_back({.file = path,
                    .messages = std::move(messages),
                    .previous_version_of = in_force ? file.in_force->scenario.name : ""});
  }
  return list;
}

}  // namespace pgrehearse
