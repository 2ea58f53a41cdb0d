#include "harness/sandbox/instance_sessions.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>

#include "harness/sandbox/socket_peer.hpp"
#include "tests/fakes/scripted_sandbox.hpp"
#include "tests/fakes/scripted_server.hpp"
#include "tests/fakes/thrown_error.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class InstanceSessionsTest : public testing::Test {
 protected:
  InstanceSessionsTest() {
    fs::create_directories(sandbox_.paths().data);
    fs::create_directories(sandbox_.paths().sockets);
  }
  ~InstanceSessionsTest() override {
    if (server_ > 0) {
      kill(server_, SIGKILL);
      waitpid(server_, nullptr, 0);
    }
    fs::remove_all(top_);
  }

  [[nodiscard]] fs::path socket_file() const { return sandbox_.paths().sockets / ".s.PGSQL.5432"; }

  // A process that works in `directory` and listens on the sandbox's socket.
  void start_server_in(const fs::path& directory) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    const auto path = socket_file().string();
    std::memcpy(address.sun_path, path.c_str(), path.size());
    ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    server_ = fork();
    if (server_ == 0) {
      const bool listening = chdir(directory.c_str()) == 0 && listen(fd, 8) == 0;
      if (listening && write(ready[1], "x", 1) == 1) pause();
      _exit(1);
    }
    char byte = 0;
    ASSERT_EQ(read(ready[0], &byte, 1), 1);
    for (const int each : {fd, ready[0], ready[1]}) close(each);
  }
  std::string refusal() {
    return error_of([&] { sessions_.open("shop", ErrorKind::recovery, {}); }).what();
  }

  static fs::path make_directory() {
    std::string pattern = testing::TempDir() + "pgr-sessions-XXXXXX";
    return mkdtemp(pattern.data());
  }
  fs::path top_ = make_directory();
  ScriptedServer scripted_;
  ScriptedCommandRunner runner_;
  ScriptedSandbox sandbox_{runner_, top_, {.type = "local"}};
  InstanceSessions sessions_{sandbox_};
  pid_t server_ = 0;
};

TEST_F(InstanceSessionsTest, AServerThatWorksInTheDataDirectoryIsAccepted) {
  start_server_in(sandbox_.paths().data);
  EXPECT_EQ(peer_of_socket(socket_file(), sandbox_.paths().data), SocketPeer::own);
  EXPECT_NO_THROW(sessions_.open("shop", ErrorKind::recovery, {}));
}

TEST_F(InstanceSessionsTest, AnotherProcessAtTheSocketIsRefused) {
  start_server_in(top_);
  EXPECT_THAT(refusal(), HasSubstr("another process listens on the sandbox's socket"));
  EXPECT_TRUE(scripted_.connections().empty());
}

TEST_F(InstanceSessionsTest, AFileOrALinkInPlaceOfTheSocketIsRefused) {
  std::ofstream(socket_file()) << "";
  EXPECT_THAT(refusal(), HasSubstr("is not a socket"));
  fs::remove(socket_file());
  fs::create_symlink("/run/postgresql/.s.PGSQL.5432", socket_file());
  EXPECT_THAT(refusal(), HasSubstr("is not a socket"));
  EXPECT_TRUE(scripted_.connections().empty());
}

TEST_F(InstanceSessionsTest, AServerWithAnotherDataDirectoryIsRefused) {
  scripted_.on("data_directory",
               ScriptedServer::row({"/var/lib/postgresql/15/main", "f", "on", {}}));
  EXPECT_THAT(refusal(), HasSubstr("its data directory is /var/lib/postgresql/15/main"));
}

TEST_F(InstanceSessionsTest, WithoutAListenerThePeerIsUnknown) {
  EXPECT_EQ(peer_of_socket(socket_file(), sandbox_.paths().data), SocketPeer::unknown);
}

}  // namespace
}  // namespace pgrehearse
