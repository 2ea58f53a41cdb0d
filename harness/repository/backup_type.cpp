#include "harness/repository/backup_repository.hpp"

namespace pgrehearse {

std::string_view name_of(BackupType type) {
  switch (type) {
    case BackupType::full:
      return "full";
    case BackupType::differential:
      return "differential";
    case BackupType::incremental:
      return "incremental";
  }
  return "full";
}

}  // namespace pgrehearse
