#include "broker/connection_tracker.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/broker/fake_net.h"
#include "tests/broker/loop_thread.h"

namespace sockgate {
namespace {

using nlohmann::json;
using By = ConnectionEnd::By;
using End = Measured::End;

class ConnectionTrackerTest : public ::testing::Test {
 protected:
  ConnectionTrackerTest() {
    role_.name = "test";
    role_.track = true;
    for (WorkerRecord* worker : {&worker_, &other_}) {
      worker->role = {std::shared_ptr<void>(), &role_};
    }
    worker_.id = 1;
    other_.id = 2;
  }
  ~ConnectionTrackerTest() override {
    thread_.Do([this] { tracker_.reset(); });
  }

  static Attempt To(WorkerRecord* worker, const char* address, uint32_t request_id = 1) {
    Attempt attempt;
    attempt.worker = worker;
    attempt.channel = 5;
    attempt.request_id = request_id;
    attempt.request.endpoint = Endpoint::Ip(*IpAddress::Parse(address), 443);
    attempt.tracked = true;
    return attempt;
  }

  void BePatientFor(std::chrono::milliseconds patience) {
    thread_.Do([&] {
      tracker_ = std::make_unique<ConnectionTracker>(thread_.loop(), &net_, &audit_, patience);
    });
  }

  // The next line of the net, tracked.
  int Track(const Attempt& attempt) {
    int error = -1;
    thread_.Do([&] {
      UniqueFd socket;
      net_.Open(attempt.request.endpoint, Transport::kStream, {}, &socket);
      error = tracker_->Track(attempt, std::move(socket));
    });
    return error;
  }

  void Say(size_t line, End end, uint64_t sent, uint64_t received) {
    thread_.Do([&] { net_.SetMeasured(line, {end, sent, received}); });
  }
  // What the kernel tells of a line: the end of both halves, or of the peer's.
  void HangUp(size_t line) {
    thread_.Do([&] { shutdown(net_.line(line).far_side.get(), SHUT_RDWR); });
  }
  void EndOfPeer(size_t line) {
    thread_.Do([&] { shutdown(net_.line(line).far_side.get(), SHUT_WR); });
  }
  bool AwaitConnections(const WorkerRecord& worker, uint32_t count) {
    return thread_.Until([&] { return worker.connections == count; });
  }
  bool AwaitMeasures(size_t line, int count) {
    return thread_.Until([&] { return net_.line(line).measures >= count; });
  }

  // The log so far, without the times.
  std::vector<json> Lines() {
    thread_.Do([this] { audit_.Flush(); });
    std::string text(static_cast<size_t>(lseek(log_, 0, SEEK_END)), '\0');
    EXPECT_EQ(pread(log_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    std::vector<json> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
      lines.push_back(json::parse(line));
      lines.back().erase("time");
    }
    return lines;
  }
  // How each line says that its connection ended.
  std::vector<std::string> ClosedBy() {
    std::vector<std::string> words;
    for (const json& line : Lines()) words.push_back(line.at("closed_by"));
    return words;
  }
  void ExpectForgotten(size_t line) {
    thread_.Do([&] { EXPECT_EQ(net_.Holders(line), 0U); });
  }

  Role role_;
  WorkerRecord worker_;
  WorkerRecord other_;
  testing::FakeNet net_;
  const int log_ = memfd_create("audit", MFD_CLOEXEC);
  AuditLog audit_{UniqueFd(log_)};
  testing::LoopThread thread_;
  std::unique_ptr<ConnectionTracker> tracker_ =
      std::make_unique<ConnectionTracker>(thread_.loop(), &net_, &audit_);
};

TEST_F(ConnectionTrackerTest, KeepsTheSocketUntilTheEndAndSaysWhatWentOverIt) {
  ASSERT_EQ(Track(To(&worker_, "192.0.2.1", 9)), 0);
  thread_.Do([&] {
    EXPECT_EQ(worker_.connections, 1U);
    EXPECT_EQ(net_.Holders(0), 1U);
  });
  Say(0, End::kByHolder, 70, 8000);
  HangUp(0);
  ASSERT_TRUE(AwaitConnections(worker_, 0));
  ExpectForgotten(0);
  auto lines = Lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_GE(lines[0].at("duration_us"), 0);
  lines[0].erase("duration_us");
  EXPECT_EQ(lines[0], json({{"event", "connection"},
                            {"worker", 1},
                            {"channel", 5},
                            {"pid", 0},
                            {"uid", 0},
                            {"role", "test"},
                            {"request", 9},
                            {"target", "192.0.2.1:443"},
                            {"bytes_sent", 70},
                            {"bytes_received", 8000},
                            {"closed_by", "worker"}}));
  EXPECT_EQ(net_.line(0).give_ups, 0) << "it had ended";
}

TEST_F(ConnectionTrackerTest, WhoEndedIt) {
  const struct {
    End end;
    const char* word;
  } cases[] = {{End::kByHolder, "worker"}, {End::kByPeer, "peer"}, {End::kBroken, "reset"}};
  size_t line = 0;
  for (const auto& one : cases) {
    ASSERT_EQ(Track(To(&worker_, "192.0.2.1")), 0);
    Say(line, one.end, 0, 0);
    HangUp(line);
    ASSERT_TRUE(AwaitConnections(worker_, 0));
    EXPECT_EQ(ClosedBy().back(), one.word);
    ++line;
  }
}

// Once both have closed it, or the peer has reset it for what came after its FIN, the kernel does
// not know who was first, nor whether a FIN is among the bytes.
TEST_F(ConnectionTrackerTest, ThePeersFinIsRememberedWithWhatHadComeByThen) {
  ASSERT_EQ(Track(To(&worker_, "192.0.2.1")), 0);
  Say(0, End::kByPeer, 70, 8000);
  EndOfPeer(0);
  ASSERT_TRUE(AwaitMeasures(0, 1));
  Say(0, End::kBroken, 75, 8001);
  HangUp(0);
  ASSERT_TRUE(AwaitConnections(worker_, 0));
  EXPECT_EQ(Lines()[0].at("closed_by"), "peer");
  EXPECT_EQ(Lines()[0].at("bytes_sent"), 75);
  EXPECT_EQ(Lines()[0].at("bytes_received"), 8000);
}

TEST_F(ConnectionTrackerTest, ThePeersFinWakesTheLoopOnce) {
  ASSERT_EQ(Track(To(&worker_, "192.0.2.1")), 0);
  Say(0, End::kByPeer, 0, 0);
  EndOfPeer(0);
  ASSERT_TRUE(AwaitMeasures(0, 1));
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  thread_.Do([&] {
    EXPECT_EQ(net_.line(0).measures, 1);
    EXPECT_EQ(worker_.connections, 1U) << "the worker may still send";
  });
}

// Nobody holds it any more, or nobody cares.
TEST_F(ConnectionTrackerTest, WhatThePeerHasClosedAndTheWorkerDoesNotUseIsCut) {
  BePatientFor(std::chrono::milliseconds(50));
  ASSERT_EQ(Track(To(&worker_, "192.0.2.1")), 0);
  Say(0, End::kByPeer, 70, 8000);
  EndOfPeer(0);
  ASSERT_TRUE(AwaitConnections(worker_, 0));
  EXPECT_EQ(net_.line(0).give_ups, 1);
  ExpectForgotten(0);
  EXPECT_EQ(ClosedBy(), std::vector<std::string>{"peer"});
  EXPECT_GE(Lines()[0].at("duration_us"), 50'000);
}

TEST_F(ConnectionTrackerTest, WhatTheWorkerStillSendsOnGoesOn) {
  BePatientFor(std::chrono::milliseconds(250));
  ASSERT_EQ(Track(To(&worker_, "192.0.2.1")), 0);
  uint64_t sent = 0;
  Say(0, End::kByPeer, sent, 8000);
  EndOfPeer(0);
  ASSERT_TRUE(AwaitMeasures(0, 1));
  // At every look there is more.
  for (int looks = 2; looks <= 5; ++looks) {
    Say(0, End::kByPeer, ++sent, 8000);
    ASSERT_TRUE(AwaitMeasures(0, looks));
  }
  EXPECT_TRUE(ClosedBy().empty());
  ASSERT_TRUE(AwaitConnections(worker_, 0)) << "then there is not";
}

TEST_F(ConnectionTrackerTest, TheAgeHoldsForWhatThePeerHasClosed) {
  role_.limits.max_connection_age_s = 1;
  ASSERT_EQ(Track(To(&worker_, "192.0.2.1")), 0);
  Say(0, End::kByPeer, 0, 0);
  EndOfPeer(0);
  ASSERT_TRUE(AwaitConnections(worker_, 0));
  EXPECT_EQ(ClosedBy(), std::vector<std::string>{"age"});
}

// The worker's own shutdown(SHUT_RD) looks alike.
TEST_F(ConnectionTrackerTest, AHalfThatTheWorkerClosesIsNotThePeers) {
  ASSERT_EQ(Track(To(&worker_, "192.0.2.1")), 0);
  EndOfPeer(0);
  ASSERT_TRUE(AwaitMeasures(0, 1));
  Say(0, End::kByHolder, 0, 0);
  HangUp(0);
  ASSERT_TRUE(AwaitConnections(worker_, 0));
  EXPECT_EQ(ClosedBy(), std::vector<std::string>{"worker"});
}

TEST_F(ConnectionTrackerTest, DataWakesNobody) {
  ASSERT_EQ(Track(To(&worker_, "192.0.2.1")), 0);
  thread_.Do([&] { EXPECT_EQ(send(net_.line(0).far_side.get(), "data", 4, MSG_NOSIGNAL), 4); });
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  thread_.Do([&] {
    EXPECT_EQ(net_.line(0).measures, 0);
    EXPECT_EQ(worker_.connections, 1U);
  });
}

TEST_F(ConnectionTrackerTest, WhatCannotBeWatchedIsCut) {
  net_.NextCannotBeWatched();
  EXPECT_EQ(Track(To(&worker_, "192.0.2.1")), EPERM);
  EXPECT_EQ(worker_.connections, 0U);
  EXPECT_EQ(net_.line(0).give_ups, 1);
  ExpectForgotten(0);
  EXPECT_TRUE(Lines().empty()) << "it never was tracked";
  EXPECT_EQ(Track(To(&worker_, "192.0.2.1")), 0);
}

TEST_F(ConnectionTrackerTest, TooOld) {
  role_.limits.max_connection_age_s = 1;
  ASSERT_EQ(Track(To(&worker_, "192.0.2.1")), 0);
  ASSERT_TRUE(AwaitConnections(worker_, 0));
  EXPECT_EQ(net_.line(0).give_ups, 1);
  ExpectForgotten(0);
  EXPECT_EQ(ClosedBy(), std::vector<std::string>{"age"});
  EXPECT_GE(Lines()[0].at("duration_us"), 1'000'000);
}

TEST_F(ConnectionTrackerTest, AReloadsAgeHoldsForThoseThatAreThere) {
  ASSERT_EQ(Track(To(&worker_, "192.0.2.1")), 0);
  thread_.Do([&] {
    role_.limits.max_connection_age_s = 1;
    tracker_->Adopt();
  });
  ASSERT_EQ(Track(To(&other_, "192.0.2.1")), 0);
  thread_.Do([&] {
    other_.role = std::make_shared<const Role>([&] {
      Role ageless = role_;
      ageless.limits.max_connection_age_s = 0;
      return ageless;
    }());
    tracker_->Adopt();
  });
  ASSERT_TRUE(AwaitConnections(worker_, 0));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  thread_.Do([&] { EXPECT_EQ(other_.connections, 1U); });
}

TEST_F(ConnectionTrackerTest, AWorkersEndIsTheirsAndNobodyElses) {
  for (int i = 0; i < 3; ++i) ASSERT_EQ(Track(To(&worker_, "192.0.2.1")), 0);
  ASSERT_EQ(Track(To(&other_, "192.0.2.1")), 0);
  thread_.Do([&] { tracker_->EndWorker(&worker_); });
  thread_.Do([&] { tracker_->EndWorker(&worker_); });
  EXPECT_EQ(ClosedBy(), std::vector<std::string>(3, "worker-gone"));
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(net_.line(i).give_ups, 1);
    ExpectForgotten(i);
  }
  EXPECT_EQ(worker_.connections, 0U);
  EXPECT_EQ(other_.connections, 1U);
}

TEST_F(ConnectionTrackerTest, CutsWhatMatches) {
  ASSERT_EQ(Track(To(&worker_, "192.0.2.1", 1)), 0);
  ASSERT_EQ(Track(To(&worker_, "192.0.2.2", 2)), 0);
  ASSERT_EQ(Track(To(&other_, "192.0.2.1", 3)), 0);
  const auto to_one = [](const Attempt& attempt) {
    return attempt.request.endpoint.ip() == *IpAddress::Parse("192.0.2.1");
  };
  size_t count = 0;
  thread_.Do([&] { count = tracker_->Cut(to_one, By::kRevoked); });
  EXPECT_EQ(count, 2U);
  EXPECT_EQ(ClosedBy(), (std::vector<std::string>{"revoked", "revoked"}));
  EXPECT_EQ(worker_.connections, 1U);
  EXPECT_EQ(net_.line(1).give_ups, 0);
}

TEST_F(ConnectionTrackerTest, ARoleThatTracksNoMoreLetsGo) {
  ASSERT_EQ(Track(To(&worker_, "192.0.2.1")), 0);
  Say(0, End::kNone, 10, 20);
  thread_.Do([&] {
    role_.track = false;
    tracker_->Adopt();
  });
  EXPECT_EQ(ClosedBy(), std::vector<std::string>{"untracked"});
  EXPECT_EQ(Lines()[0].at("bytes_received"), 20);
  EXPECT_EQ(net_.line(0).give_ups, 0) << "the transfer goes on";
  ExpectForgotten(0);
}

TEST_F(ConnectionTrackerTest, ABrokerThatStopsLetsGo) {
  ASSERT_EQ(Track(To(&worker_, "192.0.2.1")), 0);
  ASSERT_EQ(Track(To(&other_, "192.0.2.1")), 0);
  thread_.Do([&] { tracker_->Stop(); });
  EXPECT_EQ(ClosedBy(), std::vector<std::string>(2, "broker-stops"));
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(net_.line(i).give_ups, 0);
    ExpectForgotten(i);
  }
}

TEST_F(ConnectionTrackerTest, AnEndThatComesWithTheCutIsToldOnce) {
  ASSERT_EQ(Track(To(&worker_, "192.0.2.1")), 0);
  thread_.Do([&] {
    shutdown(net_.line(0).far_side.get(), SHUT_RDWR);
    tracker_->EndWorker(&worker_);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_EQ(ClosedBy(), std::vector<std::string>{"worker-gone"});
}

}  // namespace
}  // namespace sockgate
