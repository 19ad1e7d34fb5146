// A broker that does not answer as it should.

#include "tool/control_client.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "proto/endpoint.h"
#include "proto/unique_fd.h"
#include "tests/broker/temp_folder.h"

namespace sockgate {
namespace {

// What the client says of a broker that does this with its connection.
std::string ErrorOf(const std::function<void(int client)>& serve) {
  const testing::TempFolder folder;
  const std::string path = folder / "control";
  sockaddr_storage address;
  const socklen_t length = Endpoint::Unix(path)->ToSockaddr(&address);
  const UniqueFd listener(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  EXPECT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
  EXPECT_EQ(listen(listener.get(), 1), 0);
  std::thread broker([&] {
    const UniqueFd client(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    serve(client.get());
  });
  const auto answer = AskBroker(path, "status");
  broker.join();
  return std::string{answer.status().message()};
}

void Reply(int client, const std::string& text) {
  char word[64];
  EXPECT_GT(recv(client, word, sizeof(word), 0), 0);
  EXPECT_GT(send(client, text.data(), text.size(), MSG_NOSIGNAL), 0);
}

TEST(ControlClientTest, ABrokerThatHangsUp) {
  const std::string hung_up =
      "the broker hung up without an answer: it stops, or this is neither root nor its user";
  EXPECT_EQ(ErrorOf([](int) {}), hung_up);
  EXPECT_EQ(ErrorOf([](int client) {
              char word[64];
              EXPECT_GT(recv(client, word, sizeof(word), 0), 0);
            }),
            hung_up);
}

TEST(ControlClientTest, AnAnswerThatIsTooLongIsNotBlamedOnTheUser) {
  EXPECT_EQ(ErrorOf([](int client) { Reply(client, std::string(100'000, 'x')); }),
            "the broker's answer is too long");
}

TEST(ControlClientTest, AnAnswerThatIsNotJson) {
  EXPECT_EQ(ErrorOf([](int client) { Reply(client, "x"); }), "the broker's answer is not JSON");
}

TEST(ControlClientTest, AnError) {
  EXPECT_EQ(ErrorOf([](int client) { Reply(client, R"({"error":"no"})"); }), "no");
}

}  // namespace
}  // namespace sockgate
