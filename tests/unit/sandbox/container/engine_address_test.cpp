#include "harness/sandbox/container/engine_address.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>

#include "harness/common/error.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

class EngineAddressTest : public testing::Test {
 protected:
  EngineAddressTest() {
    std::string name = fs::temp_directory_path() / "pgr-engine-XXXXXX";
    home = mkdtemp(name.data());
  }
  ~EngineAddressTest() override { fs::remove_all(home); }
  EngineAddressTest(const EngineAddressTest&) = delete;
  EngineAddressTest& operator=(const EngineAddressTest&) = delete;

  [[nodiscard]] EngineAddress find(EngineKind kind, const std::string& stated = {}) const {
    return find_engine(kind, stated,
                       {.variable =
                            [this](const char* name) {
                              const auto found = variables.find(name);
                              return found == variables.end() ? std::string() : found->second;
                            },
                        .home = home,
                        .root = root});
  }

  void write_context(const std::string& name, const std::string& host) const {
    const auto directory = home / ".docker/contexts/meta/0123abcd";
    fs::create_directories(directory);
    std::ofstream(directory / "meta.json")
        << R"({"Name":")" << name << R"(","Endpoints":{"docker":{"Host":")" << host << R"("}}})";
  }

  fs::path home;
  std::map<std::string, std::string> variables;
  bool root = true;
};

TEST_F(EngineAddressTest, DefaultSockets) {
  EXPECT_EQ(find(EngineKind::docker).socket, "/var/run/docker.sock");
  EXPECT_EQ(find(EngineKind::podman).socket, "/run/podman/podman.sock");
  root = false;
  variables["XDG_RUNTIME_DIR"] = "/run/user/1000";
  EXPECT_EQ(find(EngineKind::podman).socket, "/run/user/1000/podman/podman.sock");
}

TEST_F(EngineAddressTest, ScenarioThenEnvironmentThenContextTakePrecedence) {
  write_context("lab", "unix:///lab.sock");
  variables["DOCKER_CONTEXT"] = "lab";
  EXPECT_EQ(find(EngineKind::docker).text, "unix:///lab.sock");
  variables["DOCKER_HOST"] = "unix:///host.sock";
  EXPECT_EQ(find(EngineKind::docker).text, "unix:///host.sock");
  EXPECT_EQ(find(EngineKind::docker, "unix:///stated.sock").socket, "/stated.sock");
}

TEST_F(EngineAddressTest, TheCurrentContextIsRead) {
  write_context("lab", "tcp://127.0.0.1:2375");
  std::ofstream(home / ".docker/config.json") << R"({"currentContext":"lab"})";
  EXPECT_EQ(find(EngineKind::docker).base_url, "http://127.0.0.1:2375");
  std::ofstream(home / ".docker/config.json") << R"({"currentContext":"default"})";
  EXPECT_EQ(find(EngineKind::docker).socket, "/var/run/docker.sock");
  std::ofstream(home / ".docker/config.json") << "not JSON";
  EXPECT_EQ(find(EngineKind::docker).socket, "/var/run/docker.sock");
}

TEST_F(EngineAddressTest, PodmanUsesItsOwnVariable) {
  variables["DOCKER_HOST"] = "unix:///docker.sock";
  variables["CONTAINER_HOST"] = "unix:///podman.sock";
  EXPECT_EQ(find(EngineKind::podman).socket, "/podman.sock");
}

TEST_F(EngineAddressTest, CertificatesSelectTls) {
  variables["DOCKER_HOST"] = "tcp://engine:2376";
  EXPECT_FALSE(find(EngineKind::docker).certificates);
  variables["DOCKER_CERT_PATH"] = "/certs";
  const auto address = find(EngineKind::docker);
  EXPECT_EQ(address.base_url, "https://engine:2376");
  ASSERT_TRUE(address.certificates);
  EXPECT_EQ(address.certificates->ca, "/certs/ca.pem");
}

TEST_F(EngineAddressTest, UnsupportedAddressIsNamed) {
  variables["DOCKER_HOST"] = "ssh://engine";
  try {
    static_cast<void>(find(EngineKind::docker));
    FAIL() << "the address was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), FindingCode::env_engine);
    EXPECT_EQ(error.object(), "ssh://engine");
  }
}

}  // namespace
}  // namespace pgrehearse
