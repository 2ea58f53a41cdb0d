#include "harness/process/accept_client.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "harness/process/descriptor.hpp"

namespace pgrehearse {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// While it exists, no further file can be opened.
class NoFreeDescriptor {
 public:
  NoFreeDescriptor() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const Descriptor next(dup(0));
    const rlimit none{.rlim_cur = static_cast<rlim_t>(next.get()), .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoFreeDescriptor() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoFreeDescriptor(const NoFreeDescriptor&) = delete;
  NoFreeDescriptor& operator=(const NoFreeDescriptor&) = delete;

 private:
  rlimit before_{};
};

class AcceptClientTest : public testing::Test {
 protected:
  AcceptClientTest() {
    asio::co_spawn(
        context_,
        [this]() -> asio::awaitable<void> {
          while (auto client = co_await accept_client(acceptor_)) ++accepted_;
          ended_ = true;
        },
        asio::detached);
  }

  asio::io_context context_;
  tcp::acceptor acceptor_{context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  int accepted_ = 0;
  bool ended_ = false;
};

TEST_F(AcceptClientTest, GoesOnAfterTheProcessHadTooManyOpenFiles) {
  tcp::socket client(context_);
  client.connect(acceptor_.local_endpoint());
  {
    const NoFreeDescriptor limit;
    context_.run_for(std::chrono::milliseconds(300));
    EXPECT_EQ(accepted_, 0);
  }
  context_.run_for(std::chrono::milliseconds(300));
  EXPECT_EQ(accepted_, 1);
  EXPECT_FALSE(ended_);
}

TEST_F(AcceptClientTest, EndsWhenTheAcceptorIsClosed) {
  context_.run_for(std::chrono::milliseconds(50));
  acceptor_.close();
  context_.run_for(std::chrono::milliseconds(300));
  EXPECT_TRUE(ended_);
}

}  // namespace
}  // namespace pgrehearse
