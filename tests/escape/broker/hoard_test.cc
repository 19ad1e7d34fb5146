// An owned worker that keeps what it was given where nobody sees it: channels by the dozen, in each
// as many sockets as fit and none of them read, and then the channel ended, in every way that there
// is. The broker's descriptors stay within the worker's limit, others are served, and nothing is
// left when the worker has gone.

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "proto/check.h"
#include "tests/escape/broker/raw_channel.h"
#include "tests/integration/confined.h"
#include "tests/integration/faulty_worker.h"
#include "tests/integration/names/audit_file.h"
#include "tests/integration/server_process.h"
#include "tests/integration/transfer.h"

namespace sockgate::escape {
namespace {

using testing::AuditFile;
using testing::ConfinedRun;
using testing::ServerProcess;

constexpr int kRounds = 200;
constexpr uint32_t kMaxChannels = 8;
constexpr uint32_t kFit = 10;  // replies with a socket, into what a channel keeps unread

// What the worker tells of itself; its memory is otherwise its own.
struct Progress {
  std::atomic<int> forged;   // channels ended by what no worker sends
  std::atomic<int> refused;  // that were not minted
  std::atomic<bool> done;
};

Progress* SharedProgress() {
  void* const memory =
      mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  SOCKGATE_CHECK(memory != MAP_FAILED);
  return new (memory) Progress();
}

// Ends it in one of four ways; only the last gives the channel up.
void End(int round, UniqueFd channel, Progress* progress, std::vector<UniqueFd>* kept) {
  switch (round % 4) {
    case 0:
      if (RawChannel(channel.get()).Send("no packet of sockgate's")) ++progress->forged;
      break;
    case 1:
      shutdown(channel.get(), SHUT_WR);
      break;
    case 2:
      shutdown(channel.get(), SHUT_RDWR);
      break;
    default:
      return;
  }
  kept->push_back(std::move(channel));
}

// Does not come back: what it keeps goes with it.
std::string Hoard(int descriptor, uint16_t port, Progress* progress) {
  const RawChannel channel(descriptor);
  if (!channel.Send(PacketOf(1, Hello())) || channel.Receive().empty()) return "no hello";
  std::vector<UniqueFd> kept;
  for (uint32_t round = 0; round < kRounds; ++round) {
    UniqueFd minted;
    channel.Send(PacketOf(2 + round, OpenChannelRequest()));
    if (channel.NextResult(&minted).outcome != Outcome::kOpened) {
      ++progress->refused;
      continue;
    }
    const RawChannel hoard(minted.get());
    for (uint32_t id = 1; id <= kFit; ++id) hoard.Send(PacketOf(id, ConnectTo("127.0.0.1", port)));
    End(static_cast<int>(round), std::move(minted), progress, &kept);
  }
  progress->done = true;
  for (;;) poll(nullptr, 0, -1);
}

std::string FetchAllTheWhile(BrokerClient& client, const std::string& url, Progress* progress) {
  CurlAdapter adapter(&client, {});
  // Bounded, in case the other never comes to its end.
  for (int fetches = 0; fetches < 20 || (!progress->done && fetches < 5000); ++fetches) {
    const auto ended = testing::Perform(adapter, url);
    if (ended.code != CURLE_OK) return ended.ToString();
  }
  return "all well";
}

TEST(HoardTest, WhatEndedChannelsHoldIsBoundedAndGoesWithTheWorker) {
  const ServerProcess server({});
  const AuditFile audit;
  Limits limits;
  limits.max_channels = kMaxChannels;
  limits.connects_per_second = 0;
  BrokerProcess broker = testing::StartBroker({"127.0.0.1:*"}, audit.Open(), limits);
  const size_t before = testing::FdsAtRest(broker.pid());
  Progress* const progress = SharedProgress();

  ConfinedRun hostile = ConfinedRun::Raw(
      broker, [&](int channel) { return Hoard(channel, server.port(), progress); });
  ConfinedRun bystander(broker, [&](BrokerClient& client) {
    return FetchAllTheWhile(client, server.Url("/status/204"), progress);
  });
  EXPECT_EQ(bystander.Text(), "all well");
  EXPECT_TRUE(progress->done);
  EXPECT_GT(progress->refused, 0) << "it was bounded by nothing";
  EXPECT_GT(progress->forged, 0);
  const size_t hoarded = testing::FdsAtRest(broker.pid());
  EXPECT_GT(hoarded, before + 1) << "it keeps nothing";
  EXPECT_LE(hoarded, before + kMaxChannels);

  hostile.worker().Kill();
  EXPECT_EQ(testing::SettledFds(broker.pid(), before), before);
  broker.Stop();
  int violations = 0;
  for (const auto& line : audit.Lines("channel")) {
    violations += line.at("change") == "violation" ? 1 : 0;
  }
  EXPECT_EQ(violations, progress->forged);
}

}  // namespace
}  // namespace sockgate::escape
