// `sockgate serve --audit journald`, in its cage: the test plays the journal, at the path that the
// real one has.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <sstream>

#include "broker/journal_stream.h"
#include "proto/check.h"
#include "proto/endpoint.h"
#include "tests/support/test_mounts.h"
#include "tests/tool/command.h"
#include "tests/tool/policy_daemon.h"

namespace sockgate::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

constexpr char kHeader[] = "sockgate\n\n6\n0\n0\n0\n0\n";

class AuditJournalCommand : public ::testing::Test, protected PolicyDaemon {
 protected:
  void SetUp() override {
    run_ = std::make_unique<TinyDisk>("/run", size_t{1} << 20);
    fs::create_directories("/run/systemd/journal");
    AuditTo("journald");
    WritePolicy(PolicyText("1"));
  }

  bool StartIt() {
    std::vector<std::string> options;
    const passwd* user = geteuid() == 0 ? getpwnam("nobody") : nullptr;
    if (user != nullptr && CanBe(*user)) {
      GiveFolderTo(user->pw_uid, user->pw_gid);
      options = {"--user", "nobody"};
    }
    return Start(options);
  }
  // In a user namespace there is no other user.
  bool CanBe(const passwd& user) const {
    return lchown(policy().c_str(), user.pw_uid, user.pw_gid) == 0;
  }
  void Listen() {
    journal_.Reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    unlink(kJournalPath);
    sockaddr_storage address;
    const socklen_t length = Endpoint::Unix(kJournalPath)->ToSockaddr(&address);
    SOCKGATE_CHECK(bind(journal_.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    SOCKGATE_CHECK(chmod(kJournalPath, 0666) == 0 && listen(journal_.get(), 4) == 0);
  }
  void Accept() { stream_.Reset(accept4(journal_.get(), nullptr, nullptr, SOCK_CLOEXEC)); }
  // Until what arrives has so many of these words, or for ten seconds.
  std::string Read(const std::string& word, size_t times) const {
    std::string text;
    std::array<char, 4096> block;
    pollfd entry = {stream_.get(), POLLIN, 0};
    while (Count(text, word) < times && poll(&entry, 1, 10'000) == 1) {
      const ssize_t size = read(stream_.get(), block.data(), block.size());
      if (size <= 0) break;
      text.append(block.data(), static_cast<size_t>(size));
    }
    return text;
  }
  static size_t Count(const std::string& text, const std::string& word) {
    size_t count = 0;
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
      ++count;
    }
    return count;
  }
  static void Ask(TestWorker* worker) {
    EXPECT_EQ(worker->Ask(ConnectTo("127.0.0.1", 2)).result().outcome, Outcome::kDenied);
  }

  std::unique_ptr<TinyDisk> run_;
  UniqueFd journal_;
  UniqueFd stream_;
};

TEST_F(AuditJournalCommand, EachLineIsAnEntry) {
  Listen();
  ASSERT_TRUE(StartIt()) << StandardError();
  Accept();
  TestWorker worker = Worker();
  for (int i = 0; i < 10; ++i) Ask(&worker);
  const std::string text = Read("\"decision\"", 10);
  ASSERT_EQ(text.substr(0, sizeof(kHeader) - 1), kHeader);
  std::istringstream lines(text.substr(sizeof(kHeader) - 1));
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(json::parse(line).at("event"), "cage");
  while (std::getline(lines, line)) EXPECT_TRUE(json::accept(line)) << line;
  EXPECT_EQ(Stop(), 0) << StandardError();
}

// The signal connects anew, from within the cage.
TEST_F(AuditJournalCommand, AJournalThatWasReplacedGetsWhatWaits) {
  Listen();
  ASSERT_TRUE(StartIt()) << StandardError();
  Accept();
  TestWorker worker = Worker();
  Ask(&worker);
  Read("\"decision\"", 1);
  stream_.Reset();
  for (int i = 0; i < 5; ++i) Ask(&worker);
  Listen();
  Signal(SIGHUP);
  Accept();
  const std::string text = Read("\"decision\"", 5);
  EXPECT_EQ(text.substr(0, sizeof(kHeader) - 1), kHeader);
  EXPECT_EQ(Count(text, "\"decision\""), 5U);
  EXPECT_EQ(Stop(), 0) << StandardError();
}

TEST_F(AuditJournalCommand, WithoutAJournalItDoesNotStart) {
  const CommandResult serve = RunSockgate({"serve", "--policy", policy(), "--audit", "journald"});
  EXPECT_EQ(serve.status, 1);
  EXPECT_THAT(serve.err, HasSubstr(kJournalPath));
}

}  // namespace
}  // namespace sockgate::testing
