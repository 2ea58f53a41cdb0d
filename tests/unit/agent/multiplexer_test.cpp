#include "harness/agent/multiplexer.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>

namespace pgrehearse::agent {
namespace {

struct Ends {
  Descriptor one;
  Descriptor two;
};

Ends make_ends() {
  std::array<int, 2> ends{-1, -1};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

std::string read_until(int from, std::size_t size) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (text.size() < size) {
    const auto count = read(from, buffer.data(), std::min(buffer.size(), size - text.size()));
    if (count <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return text;
}

void write_whole(int to, std::string_view text) {
  while (!text.empty()) {
    const auto count = send(to, text.data(), text.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

// A connection, both its ends, and what the far end has opened, in order.
class MultiplexerTest : public testing::Test {
 protected:
  void SetUp() override {
    // As both programs do that use one.
    std::signal(SIGPIPE, SIG_IGN);
    auto connection = make_ends();
    std::string pattern = "/tmp/pgrehearse-multiplexer-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    port_ = Descriptor(dup(connection.one.get()));
    near_.emplace(std::move(connection.one), Multiplexer::Accept());
    far_.emplace(std::move(connection.two), [this](char service) {
      if (service == 'x') return Descriptor();
      auto ends = make_ends();
      const int number = ends.two.get();
      kept_.push_back(std::move(ends.two));
      write_whole(opened_.one.get(), std::to_string(number) + "\n");
      return std::move(ends.one);
    });
    for (const char service : {'a', 'x'}) near_->listen(listener(service), service);
    far_thread_ = std::thread([this] { far_->run(); });
    ASSERT_TRUE(near_->greet());
    near_thread_ = std::thread([this] { near_->run(); });
  }
  void TearDown() override {
    // The connection's end ends both.
    shutdown(port_.get(), SHUT_RDWR);
    near_thread_.join();
    far_thread_.join();
    std::filesystem::remove_all(directory_);
  }

  Descriptor listener(char service) {
    Descriptor end(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = address_of(service);
    EXPECT_EQ(bind(end.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(end.get(), 8), 0);
    return end;
  }
  [[nodiscard]] sockaddr_un address_of(char service) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = directory_ + "/" + service;
    path.copy(static_cast<char*>(address.sun_path), sizeof(address.sun_path) - 1);
    return address;
  }
  [[nodiscard]] Descriptor open_stream(char service) const {
    Descriptor end(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = address_of(service);
    EXPECT_EQ(connect(end.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    return end;
  }
  // The far end of the stream that was opened last.
  int opened() {
    std::string text;
    for (char letter = 0; read(opened_.two.get(), &letter, 1) == 1 && letter != '\n';) {
      text += letter;
    }
    return std::stoi(text);
  }

  std::string directory_;
  Ends opened_ = make_ends();
  std::vector<Descriptor> kept_;
  Descriptor port_;
  std::optional<Multiplexer> near_;
  std::optional<Multiplexer> far_;
  std::thread near_thread_;
  std::thread far_thread_;
};

TEST_F(MultiplexerTest, BytesAndEndsOfStreamPassInBothDirections) {
  const auto here = open_stream('a');
  const int there = opened();
  write_whole(here.get(), "question");
  EXPECT_EQ(read_until(there, 8), "question");
  write_whole(there, "answer");
  EXPECT_EQ(read_until(here.get(), 6), "answer");
  shutdown(here.get(), SHUT_WR);
  EXPECT_EQ(read_until(there, 1), "") << "the end has arrived";
  write_whole(there, "last words");
  shutdown(there, SHUT_WR);
  EXPECT_EQ(read_until(here.get(), 100), "last words");
}

TEST_F(MultiplexerTest, LargeTransferArrivesCompleteAndInOrder) {
  std::string much;
  for (int number = 0; much.size() < 3'000'000; ++number) much += std::to_string(number) + ' ';
  const auto here = open_stream('a');
  const int there = opened();
  std::thread writer([&] { write_whole(there, much); });
  EXPECT_EQ(read_until(here.get(), much.size()), much);
  writer.join();
}

TEST_F(MultiplexerTest, UnreadStreamDoesNotBlockOthers) {
  const auto stuck = open_stream('a');
  const int flooding = opened();
  std::thread writer([&] { write_whole(flooding, std::string(8'000'000, 'x')); });
  const auto other = open_stream('a');
  const int there = opened();
  const std::string text(1'000'000, 'y');
  std::thread second([&] { write_whole(there, text); });
  EXPECT_EQ(read_until(other.get(), text.size()), text);
  second.join();
  EXPECT_EQ(read_until(stuck.get(), 8'000'000), std::string(8'000'000, 'x'));
  writer.join();
}

TEST_F(MultiplexerTest, ClosedReaderEndsTheWriter) {
  int there = -1;
  {
    const auto here = open_stream('a');
    there = opened();
  }
  EXPECT_EQ(read_until(there, 1), "");
  // More than a window: it would wait for ever for somebody to take it.
  std::thread writer([&] { write_whole(there, std::string(2'000'000, 'x')); });
  writer.join();
}

TEST_F(MultiplexerTest, RefusedStreamEndsAtOnce) {
  const auto here = open_stream('x');
  EXPECT_EQ(read_until(here.get(), 1), "");
}

// What a hostile copy could send instead of the agent: a length of 4 GB, and more than a window
// holds.
TEST(MultiplexerWithHostilePeerTest, DisconnectsAPeerThatExceedsTheWindow) {
  const std::string endless("\0\0\0\0\377\377\377\377\2\0\0\0", 12);
  const std::string opened("\1\0\0\0\0\0\0\0\1a\0\0", 12);
  const std::string data = std::string("\1\0\0\0\0\200\0\0\2\0\0\0", 12) + std::string(32768, 'x');
  std::string flood = opened;
  for (int count = 0; count < 64; ++count) flood += data;
  for (const auto& words : {endless, flood}) {
    std::signal(SIGPIPE, SIG_IGN);
    auto connection = make_ends();
    auto stream = make_ends();
    Multiplexer multiplexer(std::move(connection.one),
                            [&](char) { return Descriptor(dup(stream.one.get())); });
    std::thread enemy([&] {
      write_whole(connection.two.get(), words);
      read_until(connection.two.get(), std::string::npos);
    });
    multiplexer.run();
    shutdown(connection.two.get(), SHUT_RDWR);
    enemy.join();
  }
}

}  // namespace
}  // namespace pgrehearse::agent
