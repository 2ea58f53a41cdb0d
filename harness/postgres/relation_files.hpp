// Which relation a data file belongs to. Collected while the instance runs, to name damage found in
// its files after it has stopped.
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
  // `file` as returned by pg_relation_filepath().
  void add(std::string file, std::string relation) {
    names_[std::move(file)] = std::move(relation);
  }
  [[nodiscard]] std::size_t size() const { return names_.size(); }

  // A path below PGDATA, of any fork and segment: "base/5/16384.1",
  // "pg_tblspc/16385/PG_15_202209061/5/16401_fsm", "global/1262". Returns "shop.sales.orders", with
  // "(TOAST of shop.sales.orders)" after the name of a TOAST relation.
  [[nodiscard]] std::optional<std::string> relation_of(std::string_view file) const;

 private:
  std::map<std::string, std::string, std::less<>> names_;
};

// Lists the relations of each database. A database that cannot be read is skipped: its damage is
// then reported without relation names.
RelationFiles collect_relation_files(
    const std::vector<std::string>& databases,
    const std::function<Connection(const std::string& database)>& connect);

}  // namespace pgrehearse
