#include "client/launch/channel_source.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <thread>

#include "proto/endpoint.h"
#include "proto/packet_socket.h"
#include "tests/broker/temp_folder.h"
#include "tests/client/launch/forked.h"
#include "tests/client/launch/start_worker.h"

namespace sockgate::launch {
namespace {

using Conduct = ChannelSource::Conduct;

constexpr char kAsk = static_cast<char>(kAskForChannel);

// Says what was answered: "channel", "no broker", "too often", or what was wrong.
std::string Answer(int worker_end, UniqueFd* channel = nullptr) {
  std::array<uint8_t, 8> said;
  Received received =
      ReceivePacket(worker_end, absl::MakeSpan(said), Accept::kOneDescriptor, Wait::kNo);
  if (received.status == PacketStatus::kWouldBlock) return "nothing";
  if (received.status == PacketStatus::kClosed) return "closed";
  if (received.status != PacketStatus::kOk || received.size != 1) return "?";
  const bool has_channel = received.fd.valid();
  if (channel != nullptr) *channel = std::move(received.fd);
  switch (static_cast<SourceAnswer>(said[0])) {
    case SourceAnswer::kChannel:
      return has_channel ? "channel" : "?";
    case SourceAnswer::kNoBroker:
      return has_channel ? "?" : "no broker";
    case SourceAnswer::kTooOften:
      return has_channel ? "?" : "too often";
  }
  return "?";
}

class ChannelSourceTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(source_.ok()) << source_.status(); }

  void Listen() {
    listener_.Reset(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_storage address;
    const socklen_t length = Endpoint::Unix(path_)->ToSockaddr(&address);
    ASSERT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    ASSERT_EQ(listen(listener_.get(), 100), 0);
  }

  bool Ask(const std::string& packet = std::string(1, kAsk)) const {
    return send(worker_.get(), packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
  }

  const testing::TempFolder folder_;
  const std::string path_ = folder_ / "broker";
  UniqueFd listener_;
  absl::StatusOr<ChannelSource> source_ = ChannelSource::Make(path_);
  UniqueFd worker_ = source_->TakeWorkerEnd();
};

TEST_F(ChannelSourceTest, AChannelToTheBrokerThatListensNow) {
  EXPECT_TRUE(absl::IsNotFound(source_->Connect().status()));
  ASSERT_TRUE(Ask());
  EXPECT_EQ(source_->Serve(), Conduct::kGood);
  EXPECT_EQ(Answer(worker_.get()), "no broker");
  Listen();
  ASSERT_TRUE(Ask());
  EXPECT_EQ(source_->Serve(), Conduct::kGood);
  UniqueFd channel;
  ASSERT_EQ(Answer(worker_.get(), &channel), "channel");
  const UniqueFd broker(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_TRUE(broker.valid());
  EXPECT_EQ(send(channel.get(), "hello", 5, 0), 5);
  char text[8] = {};
  EXPECT_EQ(recv(broker.get(), text, sizeof(text), 0), 5);
  EXPECT_TRUE(source_->Connect().ok());
}

TEST_F(ChannelSourceTest, TheLauncherKeepsNoneOfTheChannels) {
  Listen();
  ASSERT_TRUE(Ask());
  EXPECT_EQ(source_->Serve(), Conduct::kGood);
  UniqueFd channel;
  ASSERT_EQ(Answer(worker_.get(), &channel), "channel");
  const UniqueFd broker(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  channel.Reset();
  EXPECT_TRUE(HangsUp(broker.get()));
}

// What a confined worker could not set itself.
TEST_F(ChannelSourceTest, ChannelsComeReadyForUse) {
  Listen();
  ASSERT_TRUE(Ask());
  EXPECT_EQ(source_->Serve(), Conduct::kGood);
  UniqueFd channel;
  ASSERT_EQ(Answer(worker_.get(), &channel), "channel");
  for (const int end : {channel.get(), worker_.get()}) {
    timeval timeout = {};
    socklen_t length = sizeof(timeout);
    ASSERT_EQ(getsockopt(end, SOL_SOCKET, SO_RCVTIMEO, &timeout, &length), 0);
    EXPECT_EQ(timeout.tv_usec, 100'000);
    EXPECT_EQ(fcntl(end, F_GETFL) & O_NONBLOCK, 0);
  }
}

TEST_F(ChannelSourceTest, ItsDescriptorIsReadableWhenThereIsSomethingToDo) {
  pollfd one = {source_->descriptor(), POLLIN, 0};
  EXPECT_EQ(poll(&one, 1, 0), 0);
  EXPECT_EQ(source_->Serve(), Conduct::kGood) << "nothing to do is no harm";
  ASSERT_TRUE(Ask());
  EXPECT_EQ(poll(&one, 1, 0), 1);
  EXPECT_EQ(source_->Serve(), Conduct::kGood);
  EXPECT_EQ(poll(&one, 1, 0), 0);
  worker_.Reset();
  EXPECT_EQ(poll(&one, 1, 0), 1);
  EXPECT_EQ(source_->Serve(), Conduct::kGone);
  EXPECT_EQ(source_->descriptor(), -1);
  EXPECT_EQ(source_->Serve(), Conduct::kGone);
}

TEST_F(ChannelSourceTest, NoMoreThanSoManyAtATime) {
  Listen();
  for (int i = 0; i < ChannelSource::kBurst; ++i) {
    ASSERT_TRUE(Ask());
    EXPECT_EQ(source_->Serve(), Conduct::kGood);
    EXPECT_EQ(Answer(worker_.get()), "channel") << i;
  }
  ASSERT_TRUE(Ask());
  EXPECT_EQ(source_->Serve(), Conduct::kGood);
  EXPECT_EQ(Answer(worker_.get()), "too often");
  std::this_thread::sleep_for(ChannelSource::kInterval + std::chrono::milliseconds(20));
  ASSERT_TRUE(Ask());
  EXPECT_EQ(source_->Serve(), Conduct::kGood);
  EXPECT_EQ(Answer(worker_.get()), "channel");
}

TEST_F(ChannelSourceTest, AWorkerThatDoesNotCeaseToAskMisbehaves) {
  int refused = 0;
  Conduct conduct = Conduct::kGood;
  for (; conduct == Conduct::kGood && refused < 1000; ++refused) {
    ASSERT_TRUE(Ask());
    conduct = source_->Serve();
    while (Answer(worker_.get()) == "too often") {
    }
  }
  EXPECT_EQ(conduct, Conduct::kBad);
  EXPECT_LE(refused, ChannelSource::kBurst + ChannelSource::kMostRefusals + 2);
  EXPECT_EQ(Answer(worker_.get()), "closed");
}

TEST_F(ChannelSourceTest, AWorkerThatDoesNotReadItsAnswersMisbehaves) {
  Listen();
  Conduct conduct = Conduct::kGood;
  for (int i = 0; conduct == Conduct::kGood && i < 60; ++i) {
    ASSERT_TRUE(Ask());
    const auto begun = std::chrono::steady_clock::now();
    conduct = source_->Serve();
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(50));
  }
  EXPECT_EQ(conduct, Conduct::kBad);
}

TEST_F(ChannelSourceTest, WhateverElseAWorkerSaysIsItsEnd) {
  Listen();
  const std::string packets[] = {std::string(1, '\0'), "x", std::string(2, kAsk),
                                 std::string(2000, kAsk)};
  for (const std::string& packet : packets) {
    auto source = ChannelSource::Make(path_);
    ASSERT_TRUE(source.ok());
    const UniqueFd worker = source->TakeWorkerEnd();
    ASSERT_EQ(send(worker.get(), packet.data(), packet.size(), 0),
              static_cast<ssize_t>(packet.size()));
    EXPECT_EQ(source->Serve(), Conduct::kBad) << packet.size();
    EXPECT_EQ(source->Serve(), Conduct::kGone);
    EXPECT_EQ(Answer(worker.get()), "closed");
  }
  EXPECT_LT(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC), 0) << "nobody was let in";
}

// The kernel refuses to send them, or the launcher to take them.
TEST_F(ChannelSourceTest, DescriptorsOfTheWorkersAreNotTaken) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  UniqueFd near(ends[0]);
  const UniqueFd far(ends[1]);
  const auto byte = kAskForChannel;
  const Sent sent = SendPacket(worker_.get(), {&byte, 1}, near.get(), Wait::kNo);
  near.Reset();
  const Conduct conduct = source_->Serve();
  EXPECT_TRUE(sent.status != PacketStatus::kOk || conduct == Conduct::kBad);
  EXPECT_TRUE(HangsUp(far.get()));
}

TEST_F(ChannelSourceTest, WhatCannotBeAPath) {
  for (const std::string& bad : {std::string(), std::string(108, 'x'), std::string("/a\0b", 4)}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ChannelSource::Make(bad).status()));
  }
}

TEST_F(ChannelSourceTest, ABrokerThatLetsNoMoreWaitIsNotWaitedFor) {
  Listen();
  ASSERT_EQ(listen(listener_.get(), 0), 0);
  const auto first = source_->Connect();
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(Ask());
  EXPECT_EQ(source_->Serve(), Conduct::kGood);
  EXPECT_EQ(Answer(worker_.get()), "no broker");
}

// --- with a worker ---

class ChannelSourceWorkerTest : public ChannelSourceTest {
 protected:
  // A worker that does this with its end of the source.
  absl::StatusOr<ExitStatus> RunWorker(const std::function<int(int source)>& work) {
    WorkerOptions options;
    options.channel_source = worker_.get();
    auto worker = Worker::Start(MakeChannel().worker, options, Nothing,
                                [&](int) { return work(options.channel_source); });
    if (!worker.ok()) return worker.status();
    worker_.Reset();
    return source_->Wait(*worker);
  }
};

// Under the fetcher profile.
int AskAsAWorker(int source, int times) {
  for (int i = 0; i < times; ++i) {
    if (send(source, &kAsk, 1, MSG_NOSIGNAL) != 1) return 100;
    std::string answer;
    do {
      answer = Answer(source);
    } while (answer == "nothing");
    if (answer != "channel") return i;
  }
  return 50;
}

TEST_F(ChannelSourceWorkerTest, IsServedUntilItEnds) {
  Listen();
  const auto ended = RunWorker([](int source) { return AskAsAWorker(source, 3); });
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_EQ(*ended, Exited(50));
}

TEST_F(ChannelSourceWorkerTest, ThatMisbehavesIsKilled) {
  const auto ended = RunWorker([](int source) {
    if (write(source, "x", 1) != 1) return 100;
    pollfd never = {-1, 0, 0};
    poll(&never, 1, 60'000);
    return 0;
  });
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_EQ(*ended, Signaled(SIGKILL));
}

TEST_F(ChannelSourceWorkerTest, MayCloseItsEndAndGoOn) {
  const auto ended = RunWorker([](int source) {
    close(source);
    pollfd never = {-1, 0, 0};
    poll(&never, 1, 100);
    return 7;
  });
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_EQ(*ended, Exited(7));
}

}  // namespace
}  // namespace sockgate::launch
