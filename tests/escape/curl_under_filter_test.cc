// The system's libcurl in a worker under the fetcher profile, on a socket that was connected
// before: its own connect() is answered EINPROGRESS, it polls, reads SO_ERROR, and fetches.

#include <curl/curl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "client/launch/worker.h"
#include "proto/unique_fd.h"
#include "tests/client/launch/forked.h"
#include "tests/escape/loopback.h"

namespace sockgate::escape {
namespace {

using launch::Exited;
using launch::Worker;
using launch::WorkerOptions;

struct Fetch {
  CURL* easy = nullptr;
  int given = -1;  // the socket for the next request; CURL_SOCKET_BAD when used up
  std::string body;
};

curl_socket_t HandOver(void* state, curlsocktype, curl_sockaddr*) {
  return std::exchange(static_cast<Fetch*>(state)->given, CURL_SOCKET_BAD);
}

int LetLibcurlConnect(void*, curl_socket_t, curlsocktype) { return CURL_SOCKOPT_OK; }

size_t Collect(char* data, size_t size, size_t count, void* state) {
  static_cast<Fetch*>(state)->body.append(data, size * count);
  return size * count;
}

int Prepare(Fetch& fetch, const sockaddr_in& server) {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return 101;
  fetch.easy = curl_easy_init();
  const std::string url = "http://127.0.0.1:" + std::to_string(ntohs(server.sin_port)) + "/";
  curl_easy_setopt(fetch.easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(fetch.easy, CURLOPT_PROXY, "");
  curl_easy_setopt(fetch.easy, CURLOPT_TIMEOUT, 10L);
  curl_easy_setopt(fetch.easy, CURLOPT_OPENSOCKETFUNCTION, HandOver);
  curl_easy_setopt(fetch.easy, CURLOPT_OPENSOCKETDATA, &fetch);
  curl_easy_setopt(fetch.easy, CURLOPT_SOCKOPTFUNCTION, LetLibcurlConnect);
  curl_easy_setopt(fetch.easy, CURLOPT_WRITEFUNCTION, Collect);
  curl_easy_setopt(fetch.easy, CURLOPT_WRITEDATA, &fetch);
  return 0;
}

// The exit code is libcurl's, or 102 when the body is not what was served.
int Run(Fetch& fetch) {
  const CURLcode result = curl_easy_perform(fetch.easy);
  if (result == CURLE_OK && fetch.body != "hello") return 102;
  return static_cast<int>(result);
}

absl::StatusOr<Worker> StartFetch(const Place& server, int given) {
  int channel[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), 0);
  const UniqueFd ours(channel[0]);
  WorkerOptions options;
  if (given >= 0) options.keep_descriptors = {given};
  Fetch fetch;
  fetch.given = given;
  return Worker::Start(
      UniqueFd(channel[1]), options, [&](int) { return Prepare(fetch, server.address); },
      [&](int) { return Run(fetch); });
}

void ServeOnce(int listener) {
  const UniqueFd peer(accept(listener, nullptr, nullptr));
  ASSERT_TRUE(peer.valid());
  char request[4096];
  ASSERT_GT(read(peer.get(), request, sizeof(request)), 0);
  const std::string answer =
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
  ASSERT_EQ(send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(answer.size()));
}

TEST(CurlUnderFilter, FetchesOverASocketThatItWasGiven) {
  const Place server = MakePlace(SOCK_STREAM);
  const UniqueFd given(ConnectedTo(server, SOCK_STREAM));
  absl::StatusOr<Worker> worker = StartFetch(server, given.get());
  ASSERT_TRUE(worker.ok()) << worker.status();
  ServeOnce(server.fd);
  EXPECT_EQ(worker->Wait().value(), Exited(CURLE_OK));
  close(server.fd);
}

TEST(CurlUnderFilter, ReportsARefusedConnectionAsItsOwn) {
  const Place server = MakePlace(SOCK_STREAM);
  const UniqueFd given(NewSocket(SOCK_STREAM | SOCK_NONBLOCK));
  EXPECT_EQ(Connect(given.get(), DeadPort()), -1);
  absl::StatusOr<Worker> worker = StartFetch(server, given.get());
  ASSERT_TRUE(worker.ok()) << worker.status();
  EXPECT_EQ(worker->Wait().value(), Exited(CURLE_COULDNT_CONNECT));
  close(server.fd);
}

TEST(CurlUnderFilter, FailsToConnectWithoutOne) {
  const Place server = MakePlace(SOCK_STREAM);
  absl::StatusOr<Worker> worker = StartFetch(server, -1);
  ASSERT_TRUE(worker.ok()) << worker.status();
  EXPECT_EQ(worker->Wait().value(), Exited(CURLE_COULDNT_CONNECT));
  close(server.fd);
}

}  // namespace
}  // namespace sockgate::escape
