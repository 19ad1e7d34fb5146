// A broker that does not answer as it should.

#include "tool/control_client.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <thread>

#include "proto/endpoint.h"
#include "proto/unique_fd.h"
#include "tests/broker/temp_folder.h"

namespace sockgate {
namespace {

UniqueFd ListenAt(const std::string& path, int type = SOCK_SEQPACKET) {
  sockaddr_storage address;
  const socklen_t length = Endpoint::Unix(path)->ToSockaddr(&address);
  UniqueFd listener(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  EXPECT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
  EXPECT_EQ(listen(listener.get(), 1), 0);
  return listener;
}

// What the client says of a broker that does this with its connection.
std::string ErrorOf(const std::function<void(int client)>& serve) {
  const testing::TempFolder folder;
  const std::string path = folder / "control";
  const UniqueFd listener = ListenAt(path);
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

std::string ErrorAt(const std::string& path) {
  return std::string{AskBroker(path, "status").status().message()};
}

TEST(ControlClientTest, WhatIsNoBrokersPath) {
  const testing::TempFolder folder;
  const std::string path = folder / "control";
  const std::string none = "no broker at " + path + ": ";
  EXPECT_EQ(ErrorAt(path), none + "there is no such path: is it started, with this --control?");
  ListenAt(path).Reset();
  EXPECT_EQ(ErrorAt(path), none + "nobody listens there any more: start the broker");
  unlink(path.c_str());
  std::ofstream(path) << "text";
  EXPECT_EQ(ErrorAt(path), none + "that is no socket: name the path of its --control");
  unlink(path.c_str());
  const UniqueFd other = ListenAt(path, SOCK_STREAM);
  EXPECT_EQ(ErrorAt(path),
            none + "the socket there is another program's: name the path of its --control");
  EXPECT_EQ(ErrorAt(std::string(110, 'x')),
            "'" + std::string(110, 'x') +
                "' is too long for a socket's path: 110 bytes, where 107 fit; name a shorter one");
}

TEST(ControlClientTest, WhoeverMayNotAskIsToldWhoMay) {
  const testing::TempFolder folder;
  const std::string path = folder / "control";
  const UniqueFd listener = ListenAt(path);
  ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  constexpr uid_t kNobody = 65534;
  if (geteuid() != 0 || seteuid(kNobody) != 0) GTEST_SKIP() << "root may ask everybody";
  const std::string in_folder = ErrorAt(path);
  EXPECT_EQ(seteuid(0), 0);
  EXPECT_EQ(in_folder, "user 65534 may not enter a folder above " + path +
                           ": only root and the broker's own user may ask it");
  ASSERT_EQ(chmod((folder / ".").c_str(), 0755), 0);
  EXPECT_EQ(seteuid(kNobody), 0);
  const std::string at_path = ErrorAt(path);
  EXPECT_EQ(seteuid(0), 0);
  EXPECT_EQ(at_path, "user 65534 may not ask the broker at " + path +
                         " (of root, mode 0600): only root and the broker's own user may");
}

TEST(ControlClientTest, ABrokerThatHangsUp) {
  const std::string hung_up =
      "the broker hung up without an answer: it stops, or workers connect to that path: name the "
      "one of its --control";
  EXPECT_EQ(ErrorOf([](int) {}), hung_up);
  EXPECT_EQ(ErrorOf([](int client) {
              char word[64];
              EXPECT_GT(recv(client, word, sizeof(word), 0), 0);
            }),
            hung_up);
}

TEST(ControlClientTest, AnAnswerThatIsTooLongIsNotBlamedOnTheUser) {
  EXPECT_EQ(ErrorOf([](int client) { Reply(client, std::string(100'000, 'x')); }),
            "the broker's answer is too long: is it of another version?");
}

TEST(ControlClientTest, AnAnswerThatIsNotJson) {
  EXPECT_EQ(ErrorOf([](int client) { Reply(client, "x"); }),
            "the broker's answer is not JSON: is it of another version?");
}

TEST(ControlClientTest, AnError) {
  EXPECT_EQ(ErrorOf([](int client) { Reply(client, R"({"error":"no"})"); }), "no");
}

}  // namespace
}  // namespace sockgate
