#include "harness/sandbox/container/repository_relay.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <future>

namespace pgrehearse {
namespace {

TEST(Forwards, EachHostHasItsOwnAddress) {
  const auto forwards = forwards_to({{"a.example", 443},
                                     {"b.example", 443},
                                     {"a.example", 80},
                                     {"a.example", 443},
                                     {"10.1.2.3", 8432},
                                     {"localhost", 9000}});
  std::string text;
  for (const auto& forward : forwards) {
    text +=
        forward.to.host + ":" + std::to_string(forward.to.port) + " at " + forward.address + "\n";
  }
  EXPECT_EQ(text,
            "a.example:443 at 127.0.0.2\nb.example:443 at 127.0.0.3\na.example:80 at 127.0.0.2\n"
            "10.1.2.3:8432 at 10.1.2.3\nlocalhost:9000 at 127.0.0.1\n");
  EXPECT_EQ(hosts_text(forwards),
            "127.0.0.1 localhost\n127.0.0.2 a.example\n127.0.0.3 b.example\n");
}

struct Listener {
  int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int port = 0;
  Listener() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(socket, generic, size), 0);
    EXPECT_EQ(listen(socket, 8), 0);
    EXPECT_EQ(getsockname(socket, generic, &size), 0);
    port = ntohs(address.sin_port);
  }
};

int connect_to(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return socket;
}

std::string read_to_end(int socket) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (true) {
    const auto length = read(socket, buffer.data(), buffer.size());
    if (length <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(length));
  }
}

void send_and_end(int socket, const std::string& text) {
  ASSERT_EQ(write(socket, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  shutdown(socket, SHUT_WR);
}

TEST(RepositoryRelay, BothDirectionsAreForwardedCompletely) {
  const Listener store;
  const Listener inside;
  const std::vector<Forward> forwards{{.to = {"localhost", store.port}, .address = "127.0.0.1"}};
  const RepositoryRelay relay(std::vector<int>{inside.socket}, forwards);
  const std::string question(3U << 20U, 'q');
  auto asked = std::async(std::launch::async, [&] {
    const int served = accept(store.socket, nullptr, nullptr);
    auto heard = read_to_end(served);
    send_and_end(served, "answer");
    close(served);
    return heard;
  });
  const int client = connect_to(inside.port);
  send_and_end(client, question);
  EXPECT_EQ(read_to_end(client), "answer");
  EXPECT_EQ(asked.get(), question);
  close(client);
  close(store.socket);
}

TEST(RepositoryRelay, UnreachableRepositoryClosesTheConnection) {
  const Listener closed;
  close(closed.socket);
  const Listener inside;
  const std::vector<Forward> forwards{{.to = {"localhost", closed.port}, .address = "127.0.0.1"}};
  auto relay = std::make_unique<RepositoryRelay>(std::vector<int>{inside.socket}, forwards);
  const int client = connect_to(inside.port);
  EXPECT_EQ(read_to_end(client), "");
  close(client);
  const int waiting = connect_to(inside.port);
  relay.reset();
  EXPECT_EQ(read_to_end(waiting), "") << "the end of the relay ends its connections";
  close(waiting);
}

}  // namespace
}  // namespace pgrehearse
