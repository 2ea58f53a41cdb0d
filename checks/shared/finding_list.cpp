#include "checks/shared/finding_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pgrehearse {

void FindingList::add(Finding finding) {
  const std::lock_guard lock(mutex_);
  if (++counts_[finding.code] <= most_) kept_.push_back(std::move(finding));
}

std::vector<Finding> FindingList::take() {
  const std::lock_guard lock(mutex_);
  std::stable_sort(kept_.begin(), kept_.end(), [](const Finding& left, const Finding& right) {
    return std::tie(left.code, left.object) < std::tie(right.code, right.object);
  });
  for (const auto& [code, count] : counts_) {
    if (count <= most_) continue;
    const auto last =
        std::find_if(kept_.rbegin(), kept_.rend(),
                     [&wanted = code](const auto& finding) { return finding.code == wanted; });
    last->details["not_shown"] = std::to_string(count - most_);
    last->hint += fmt::format("{}{} more of this kind not shown", last->hint.empty() ? "" : "; ",
                              count - most_);
  }
  counts_.clear();
  return std::exchange(kept_, {});
}

}  // namespace pgrehearse
