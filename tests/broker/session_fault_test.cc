// The kernel refuses the broker what it needs: the worker is told which of it, the log has it, and
// the next request is none the worse for it.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>
#include <vector>

#include "broker/session.h"
#include "tests/broker/server_world.h"

namespace sockgate {
namespace {

using nlohmann::json;
using testing::Answer;
using testing::ConnectTo;
using testing::ServerWorld;
using testing::TestWorker;

constexpr ConnectMode kBothModes[] = {ConnectMode::kConnected, ConnectMode::kInProgress};

constexpr int kOutOfDescriptors[] = {EMFILE, ENFILE};
constexpr int kOfOpen[] = {ENOBUFS, ENOMEM, EACCES, EAFNOSUPPORT, EADDRNOTAVAIL, ENODEV, EPERM};
constexpr int kOfConnect[] = {ENOBUFS, ENOMEM,       EADDRNOTAVAIL, EINTR,       EAGAIN,  EPERM,
                              EACCES,  ECONNREFUSED, EHOSTUNREACH,  ENETUNREACH, EINVAL,  ENODEV,
                              ENOENT,  ETIMEDOUT,    ECONNRESET,    EBADF,       EALREADY};

// No new descriptor for this process, whatever its number, until the object goes.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    // poll(2) wants as many as it looks at.
    const rlimit none = {3, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  ~NoMoreDescriptors() { EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before_), 0); }
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

 private:
  rlimit before_ = {};
};

class SessionFaultTest : public ::testing::Test, protected ServerWorld {
 protected:
  // The last line of the log, which is the end of a request that was allowed.
  json LastCompletion() {
    const auto decisions = Audit("decision");
    const auto completions = Audit("completion");
    if (decisions.empty() || completions.empty()) return {};
    EXPECT_EQ(decisions.size(), completions.size());
    EXPECT_EQ(decisions.back().at("verdict"), "allow");
    EXPECT_EQ(completions.back().at("request"), decisions.back().at("request"));
    return completions.back();
  }

  void ExpectLimited(const Result& result) {
    testing::ExpectLimited(result, Reason::kDescriptors);
    EXPECT_EQ(result.rule, 1U);
    EXPECT_EQ(LastCompletion().at("outcome"), "limited");
    EXPECT_EQ(LastCompletion().at("reason"), "broker-out-of-descriptors");
  }

  void ExpectFailed(const Result& result, int error) {
    EXPECT_EQ(result.outcome, Outcome::kFailed);
    EXPECT_EQ(result.error, static_cast<uint32_t>(error));
    EXPECT_EQ(result.rule, 1U);
    EXPECT_EQ(LastCompletion().at("outcome"), "failed");
    EXPECT_EQ(LastCompletion().at("errno"), error);
  }

  void ExpectServed(TestWorker* worker) {
    Do([&] { net.NextAnswers({0}); });
    EXPECT_EQ(worker->Ask(ConnectTo()).result().outcome, Outcome::kConnected);
    // The broker closes its own after it has answered.
    EXPECT_TRUE(Until([&] {
      for (size_t i = 0; i < net.lines(); ++i) {
        if (net.Holders(i) != 0) return false;
      }
      return true;
    }));
  }
};

TEST_F(SessionFaultTest, NoDescriptorForTheSocket) {
  TestWorker worker = AddGreetedWorker();
  for (const ConnectMode mode : kBothModes) {
    for (const int error : kOutOfDescriptors) {
      SCOPED_TRACE(error);
      Do([&] { net.NextOpenFails(error); });
      ExpectLimited(worker.Ask(ConnectTo("192.0.2.1", 443, mode)).result());
    }
  }
  ExpectServed(&worker);
}

// A UNIX path takes a descriptor of its own to connect to.
TEST_F(SessionFaultTest, NoDescriptorForConnecting) {
  TestWorker worker = AddGreetedWorker();
  for (const ConnectMode mode : kBothModes) {
    for (const int error : kOutOfDescriptors) {
      SCOPED_TRACE(error);
      Do([&] { net.NextAnswers({error}); });
      ExpectLimited(worker.Ask(ConnectTo("192.0.2.1", 443, mode)).result());
    }
  }
  ExpectServed(&worker);
}

TEST_F(SessionFaultTest, TheSocketCannotBeMade) {
  TestWorker worker = AddGreetedWorker();
  for (const ConnectMode mode : kBothModes) {
    for (const int error : kOfOpen) {
      SCOPED_TRACE(error);
      Do([&] { net.NextOpenFails(error); });
      ExpectFailed(worker.Ask(ConnectTo("192.0.2.1", 443, mode)).result(), error);
    }
  }
  EXPECT_EQ(net.lines(), 0U);
  ExpectServed(&worker);
}

TEST_F(SessionFaultTest, TheHandshakeCannotBegin) {
  TestWorker worker = AddGreetedWorker();
  for (const ConnectMode mode : kBothModes) {
    for (const int error : kOfConnect) {
      SCOPED_TRACE(error);
      Do([&] { net.NextAnswers({error}); });
      ExpectFailed(worker.Ask(ConnectTo("192.0.2.1", 443, mode)).result(), error);
    }
  }
  ExpectServed(&worker);
}

TEST_F(SessionFaultTest, TheHandshakeFailsForWantOfMemory) {
  TestWorker worker = AddGreetedWorker();
  for (const int error : {ENOBUFS, ENOMEM, EADDRNOTAVAIL, EINTR}) {
    SCOPED_TRACE(error);
    const size_t line = net.lines();
    worker.Send(ConnectTo());
    ASSERT_TRUE(AwaitLines(line + 1));
    Do([&] { net.Break(line, error); });
    ExpectFailed(worker.Receive().result(), error);
  }
  ExpectServed(&worker);
}

// In in-progress mode the socket is the worker's already, and has the error.
TEST_F(SessionFaultTest, FinalisingFails) {
  TestWorker worker = AddGreetedWorker();
  for (const int error : {ENOBUFS, ENOMEM, EINTR}) {
    SCOPED_TRACE(error);
    Do([&] {
      net.NextAnswers({EINPROGRESS, error});
      net.NextLook(Handshake::kDone);
    });
    const Answer answer = worker.Ask(ConnectTo("192.0.2.1", 443, ConnectMode::kInProgress));
    EXPECT_EQ(answer.result().outcome, Outcome::kStarted);
    EXPECT_EQ(LastCompletion().at("outcome"), "failed");
    EXPECT_EQ(LastCompletion().count("errno"), 0U);
  }
  ExpectServed(&worker);
}

TEST_F(SessionFaultTest, NoDescriptorsForOneMoreChannel) {
  TestWorker worker = AddGreetedWorker();
  {
    const NoMoreDescriptors none;
    const Result result = worker.Ask(OpenChannelRequest()).result();
    EXPECT_EQ(result.outcome, Outcome::kLimited);
    EXPECT_EQ(result.reason, Reason::kDescriptors);
    EXPECT_GT(result.retry_after_ms, 0U);
  }
  EXPECT_EQ(AuditDetail("not-opened"), "broker-out-of-descriptors");
  EXPECT_EQ(worker.Ask(OpenChannelRequest()).result().outcome, Outcome::kOpened);
}

// Its socket cannot wait with the reply, and a reply without its socket would be a lie.
TEST_F(SessionFaultTest, NoDescriptorForAReplyThatHasToWait) {
  TestWorker deaf = AddGreetedWorker();
  TestWorker other = AddGreetedWorker();
  deaf.Send(ConnectTo());
  ASSERT_TRUE(AwaitLines(1));
  // So many that the kernel has no room for one more reply.
  for (int i = 0; i < 40; ++i) deaf.Send(ConnectTo("192.0.2.66"));
  EXPECT_EQ(other.Ask(ConnectTo("192.0.2.66")).result().outcome, Outcome::kDenied);
  {
    const NoMoreDescriptors none;
    Do([&] { net.Finish(0); });
    EXPECT_TRUE(AwaitChannels(1));
    EXPECT_EQ(other.Ask(ConnectTo("192.0.2.66")).result().outcome, Outcome::kDenied);
  }
  EXPECT_TRUE(deaf.Closed());
  EXPECT_EQ(AuditDetail("broken"), "Too many open files");
  EXPECT_EQ(Audit("completion").size(), 1U);
  EXPECT_EQ(net.Holders(0), 0U);
  ExpectServed(&other);
}

TEST_F(SessionFaultTest, AWatchThatTheKernelRefuses) {
  TestWorker worker = AddGreetedWorker();
  for (const ConnectMode mode : kBothModes) {
    Do([&] { net.NextCannotBeWatched(); });
    ExpectFailed(worker.Ask(ConnectTo("192.0.2.1", 443, mode)).result(), EPERM);
  }
  ExpectServed(&worker);
}

}  // namespace
}  // namespace sockgate
