#include "harness/primary/fingerprint/content_workers.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <thread>

#include "harness/common/throw_if_stopped.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t most_relations = 150;
// A batch reports progress only at its end, so large relations get their own.
constexpr std::int64_t most_pages = 6'400;  // 50 MB

class Queue {
 public:
  explicit Queue(std::span<RelationContent> relations)
      : left_(relations), total_(relations.size()) {}

  std::span<RelationContent> take() {
    const std::lock_guard lock(mutex_);
    if (left_.empty()) return {};
    std::size_t length = 1;
    auto pages = left_[0].pages;
    while (length < left_.size() && length < most_relations) {
      pages += left_[length].pages;
      if (pages > most_pages) break;
      ++length;
    }
    const auto batch = left_.first(length);
    left_ = left_.subspan(length);
    return batch;
  }

  void finish(std::size_t count, const ContentWork& work) {
    const std::lock_guard lock(mutex_);
    done_ += count;
    if (work.on_progress) work.on_progress(done_, total_);
  }

  void give_up(std::span<RelationContent> batch, const Error& error, const ContentWork& work) {
    const std::lock_guard lock(mutex_);
    work.give_up(batch, error);
    done_ += batch.size();
    last_error_ = error;
  }

  // The relations that no worker took.
  void give_up_rest(const ContentWork& work) {
    if (left_.empty()) return;
    work.give_up(left_, last_error_.value_or(Error(ErrorKind::interrupted, "interrupted")));
    left_ = {};
  }

 private:
  std::mutex mutex_;
  std::span<RelationContent> left_;
  std::size_t total_;
  std::size_t done_ = 0;
  std::optional<Error> last_error_;
};

void run_worker(Queue& queue, const ContentWork& work, const std::stop_token& stop) {
  std::optional<Connection> connection;
  for (auto batch = queue.take(); !batch.empty(); batch = queue.take()) {
    try {
      throw_if_stopped(stop);
      if (!connection) connection.emplace(work.connect(stop));
      work.read(*connection, batch);
      queue.finish(batch.size(), work);
    } catch (const Error& error) {
      queue.give_up(batch, error, work);
      return;
    } catch (const std::exception& error) {
      queue.give_up(batch, Error(ErrorKind::internal, error.what()), work);
      return;
    }
  }
}

}  // namespace

void read_in_parallel(std::span<RelationContent> relations, const ContentWork& work,
                      const std::stop_token& stop) {
  Queue queue(relations);
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < std::max<std::size_t>(1, work.connections); ++i) {
      workers.emplace_back([&] { run_worker(queue, work, stop); });
    }
  }
  queue.give_up_rest(work);
}

}  // namespace pgrehearse
