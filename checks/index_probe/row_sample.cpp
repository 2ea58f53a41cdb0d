#include "checks/index_probe/row_sample.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>

namespace pgrehearse {

namespace {

// "(block,offset)"
RowPosition parse_position(const std::string& text) {
  RowPosition position;
  const auto* const end = text.data() + text.size();
  const auto block = std::from_chars(text.data() + 1, end, position.block);
  std::from_chars(std::min(block.ptr + 1, end), end, position.offset);
  return position;
}

class PageSampler {
 public:
  PageSampler(std::uint64_t blocks, const SampleRules& rules)
      : all_(blocks <= rules.full_pages),
        per_page_(std::max<std::uint64_t>(rules.rows_per_page, 1)) {
    if (!all_) stride_ = std::max<std::uint64_t>(1, blocks * per_page_ / rules.most_rows);
  }

  void add(const RowPosition& position) {
    if (all_) {
      taken_.push_back(position);
      return;
    }
    if (position.block % stride_ != 0) return;
    if (!page_.empty() && page_.front().block != position.block) finish_page();
    page_.push_back(position);
  }

  std::vector<RowPosition> take() {
    finish_page();
    // std::shuffle differs between standard libraries; the same rows must be sampled everywhere.
    for (std::size_t i = taken_.size(); i > 1; --i) {
      std::swap(taken_[i - 1], taken_[random_() % i]);
    }
    return std::move(taken_);
  }

 private:
  void finish_page() {
    for (std::uint64_t i = 0; i < per_page_ && !page_.empty(); ++i) {
      const auto chosen = random_() % page_.size();
      taken_.push_back(page_[chosen]);
      page_[chosen] = page_.back();
      page_.pop_back();
    }
    page_.clear();
  }

  bool all_;
  std::uint64_t per_page_;
  std::uint64_t stride_ = 1;
  std::mt19937_64 random_{20260901};
  std::vector<RowPosition> page_;
  std::vector<RowPosition> taken_;
};

}  // namespace

std::vector<RowPosition> sample_rows(Connection& sql, const std::string& table,
                                     std::uint64_t table_blocks, const SampleRules& rules) {
  PageSampler sampler(table_blocks, rules);
  sql.stream(
      fmt::format("select ctid from only {}", table), {},
      [&](const std::vector<Field>& row) { sampler.add(parse_position(row.at(0).value())); });
  return sampler.take();
}

std::string to_array(const RowPosition* first, std::size_t count) {
  std::string text = "{";
  for (std::size_t i = 0; i < count; ++i) {
    text += fmt::format("{}\"({},{})\"", i == 0 ? "" : ",", first[i].block, first[i].offset);
  }
  return text + "}";
}

}  // namespace pgrehearse
