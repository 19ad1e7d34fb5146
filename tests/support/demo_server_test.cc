// The demo server as a script uses it: started, read from, told to end.

#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "proto/unique_fd.h"
#include "tests/support/curl_fetch.h"
#include "tests/support/http_routes.h"

namespace sockgate::testing {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kProgram[] = "tests/support/demo_server";

class DemoServerTest : public ::testing::Test {
 protected:
  void TearDown() override {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    unlink(ca_path_.c_str());
  }

  void Spawn(const std::vector<std::string>& arguments) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    ASSERT_EQ(pipe2(in.data(), O_CLOEXEC), 0);
    ASSERT_EQ(pipe2(out.data(), O_CLOEXEC), 0);
    const UniqueFd child_in(in[0]);
    const UniqueFd child_out(out[1]);
    input_.Reset(in[1]);
    output_.Reset(out[0]);
    std::vector<std::string> words = {kProgram};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, child_in.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, child_out.get(), STDOUT_FILENO);
    EXPECT_EQ(posix_spawn(&pid_, kProgram, &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
  }

  std::string ReadLine() {
    std::string line;
    pollfd ready{output_.get(), POLLIN, 0};
    char c = 0;
    while (poll(&ready, 1, 20000) == 1 && read(output_.get(), &c, 1) == 1 && c != '\n') line += c;
    return line;
  }

  // The exit status, or -1 when it has not ended within 20 s or died of a signal.
  int AwaitExit() {
    const auto deadline = Clock::now() + std::chrono::seconds(20);
    int status = 0;
    while (waitpid(pid_, &status, WNOHANG) == 0) {
      if (Clock::now() > deadline) return -1;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::string ca_path_ = ::testing::TempDir() + "/demo_server_ca." + std::to_string(getpid());
  pid_t pid_ = -1;
  UniqueFd input_;
  UniqueFd output_;
};

TEST_F(DemoServerTest, SaysWhereItServesAndServesThere) {
  Spawn({"--ca", ca_path_});
  const std::string line = ReadLine();
  const std::vector<std::string> words = absl::StrSplit(line, ' ');
  ASSERT_EQ(words.size(), 3U) << line;
  absl::string_view http = words[0];
  absl::string_view https = words[1];
  ASSERT_TRUE(absl::ConsumePrefix(&http, "http=127.0.0.1:")) << line;
  ASSERT_TRUE(absl::ConsumePrefix(&https, "https=127.0.0.1:")) << line;
  EXPECT_EQ(words[2], "ca=" + ca_path_);
  std::ifstream file(ca_path_);
  const std::string pem(std::istreambuf_iterator<char>(file), {});
  EXPECT_EQ(Fetch(absl::StrCat("http://127.0.0.1:", http, "/")).body, kHelloBody);
  EXPECT_EQ(Fetch(absl::StrCat("https://127.0.0.1:", https, "/"), pem).body, kHelloBody);
}

TEST_F(DemoServerTest, EndsWhenItsInputCloses) {
  Spawn({"--ca", ca_path_});
  ASSERT_NE(ReadLine(), "");
  EXPECT_EQ(write(input_.get(), "ignored\n", 8), 8);
  input_.Reset();
  EXPECT_EQ(AwaitExit(), 0);
}

TEST_F(DemoServerTest, EndsOnSigterm) {
  Spawn({"--ca", ca_path_});
  ASSERT_NE(ReadLine(), "");
  kill(pid_, SIGTERM);
  EXPECT_EQ(AwaitExit(), 0);
}

TEST_F(DemoServerTest, EndsWhenItsTimeIsUp) {
  const auto start = Clock::now();
  Spawn({"--ca", ca_path_, "--seconds", "1"});
  ASSERT_NE(ReadLine(), "");
  EXPECT_EQ(AwaitExit(), 0);
  EXPECT_GE(Clock::now() - start, std::chrono::seconds(1));
}

TEST_F(DemoServerTest, RefusesToStartWithoutAPlaceForTheCertificate) {
  Spawn({});
  EXPECT_GT(AwaitExit(), 0);
  Spawn({"--ca", "/nonexistent/folder/ca.pem"});
  EXPECT_EQ(AwaitExit(), 1);
}

}  // namespace
}  // namespace sockgate::testing
