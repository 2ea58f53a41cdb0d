// Which relation a data file belongs to. Collected while the instance runs, so that what is found
// in its files after it stopped can be named.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/postgres/connection.hpp"

namespace pgrehearse {

class RelationFiles {
 public:
  // `file` as pg_relation_filepath() gives it.
  void add(std::string file, std::string relation) {
    names_[std::move(file)] = std::move(relation);
  }
  [[nodiscard]] std::size_t size() const { return names_.size(); }

  // A path below PGDATA, of any fork and segment: "base/5/16384.1",
  // "pg_tblspc/16385/PG_15_202209061/5/16401_fsm", "global/1262". Gives "shop.sales.orders", with
  // "(TOAST of shop.sales.orders)" after a TOAST relation's own name.
  [[nodiscard]] std::optional<std::string> relation_of(std::string_view file) const;

 private:
  std::map<std::string, std::string, std::less<>> names_;
};

// Asks each database for its relations. A database that refuses is left out: a name that is missing
// is no reason to miss the damage itself.
RelationFiles collect_relation_files(
    const std::vector<std::string>& databases,
    const std::function<Connection(const std::string& database)>& connect);

}  // namespace pgrehearse
