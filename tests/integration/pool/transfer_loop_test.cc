// The loop alone, in a confined worker that has its transfers from itself.

#include "client/pool/transfer_loop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/confined.h"
#include "tests/integration/server_process.h"
#include "tests/support/byte_pattern.h"
#include "tests/support/http_routes.h"

namespace sockgate::testing {
namespace {

// Notes what it hears, and does what the test says.
class NotingSink : public TransferSink {
 public:
  void OnBegin(TransferId /*id*/, CURL* easy) override {
    most_under_way = std::max(most_under_way, loop->under_way());
    if (on_begin) on_begin(easy);
  }
  void OnHead(TransferId id, const ResponseHead& head) override { heads[id] = head.status; }
  Taken OnBody(TransferId id, absl::string_view piece) override {
    const Taken taken = on_body ? on_body(id) : Taken::kYes;
    if (taken == Taken::kYes) absl::StrAppend(&bodies[id], piece);
    return taken;
  }
  void OnDone(const TransferResult& result, CURL* easy) override {
    results[result.id] = result;
    if (on_done) on_done(result, easy);
  }

  TransferLoop* loop = nullptr;
  std::function<void(CURL*)> on_begin;
  std::function<Taken(TransferId)> on_body;
  std::function<void(const TransferResult&, CURL*)> on_done;
  size_t most_under_way = 0;
  std::map<TransferId, uint32_t> heads;
  std::map<TransferId, std::string> bodies;
  std::map<TransferId, TransferResult> results;
};

class TransferLoopTest : public ::testing::Test {
 protected:
  // In a worker; what the piece returns once all that it added is done.
  std::string Inside(size_t jobs, const std::function<void(TransferLoop&, NotingSink&)>& begin,
                     const std::function<std::string(NotingSink&)>& end) {
    return RunConfined(broker_, [&](BrokerClient& client) {
      TransferLoop::Options options;
      options.client = &client;
      options.jobs = jobs;
      NotingSink sink;
      TransferLoop loop(options, &sink);
      sink.loop = &loop;
      begin(loop, sink);
      const absl::Status status = loop.Run();
      return status.ok() && loop.idle() ? end(sink) : status.ToString();
    });
  }

  Transfer To(const std::string& path) const {
    Transfer transfer;
    transfer.url = server_.Url(path);
    return transfer;
  }

  ServerProcess server_{LoopbackServer::Options()};
  BrokerProcess broker_ = StartBroker({"127.0.0.1:*"});
};

TEST_F(TransferLoopTest, AListIsFetchedSoManyAtATime) {
  const auto begin = [&](TransferLoop& loop, NotingSink& /*sink*/) {
    for (TransferId id = 1; id <= 30; ++id) loop.Add(id, To(absl::StrCat("/bytes/", id * 1000)));
  };
  const auto end = [](NotingSink& sink) {
    int whole = 0;
    for (const auto& [id, body] : sink.bodies) {
      whole += body == PatternBytes(id * 1000) && sink.heads[id] == 200 ? 1 : 0;
    }
    return absl::StrCat(whole, " whole, at most ", sink.most_under_way, " at a time");
  };
  EXPECT_EQ(Inside(4, begin, end), "30 whole, at most 4 at a time");
}

TEST_F(TransferLoopTest, APieceThatIsNotTakenNowComesAgain) {
  int refused = 0;
  const auto begin = [&](TransferLoop& loop, NotingSink& sink) {
    sink.on_body = [&loop, &refused, refuse = true](TransferId /*id*/) mutable {
      refuse = !refuse;
      if (!refuse) return Taken::kYes;
      ++refused;
      loop.Resume();
      return Taken::kNotNow;
    };
    for (TransferId id = 1; id <= 2; ++id) loop.Add(id, To("/bytes/1000000"));
  };
  const auto end = [&](NotingSink& sink) {
    const std::string whole = PatternBytes(1000000);
    return absl::StrCat(refused > 20, sink.bodies[1] == whole, sink.bodies[2] == whole);
  };
  EXPECT_EQ(Inside(2, begin, end), "111");
}

TEST_F(TransferLoopTest, APieceThatIsNeverTakenEndsItsTransfer) {
  const auto begin = [&](TransferLoop& loop, NotingSink& sink) {
    sink.on_body = [](TransferId id) { return id == 1 ? Taken::kNever : Taken::kYes; };
    loop.Add(1, To("/hello"));
    loop.Add(2, To("/hello"));
  };
  const auto end = [](NotingSink& sink) {
    return absl::StrCat(sink.results[1].code, " ", sink.results[1].text, "; ",
                        sink.results[2].code);
  };
  EXPECT_EQ(Inside(2, begin, end), "23 the body could not be written; 0");
}

TEST_F(TransferLoopTest, ASinkMayAddCancelAndHaveTheLastWord) {
  const auto begin = [&](TransferLoop& loop, NotingSink& sink) {
    sink.on_begin = [](CURL* easy) { curl_easy_setopt(easy, CURLOPT_USERAGENT, "taster"); };
    sink.on_body = [&loop](TransferId id) {
      if (id == 2) loop.Cancel(2);
      return Taken::kYes;
    };
    sink.on_done = [this, &loop](const TransferResult& result, CURL* easy) {
      if (result.id == 1 && easy != nullptr) loop.Add(3, To("/headers"));
    };
    loop.Add(1, To("/status/503"));
    loop.Add(2, To("/bytes/1099511627776"));
    loop.Add(4, To("/hello"));
    loop.Cancel(4);
  };
  const auto end = [&](NotingSink& sink) {
    return absl::StrCat(sink.results[1].status, " ", FateName(sink.results[2].fate), " ",
                        absl::StrContains(sink.bodies[3], "User-Agent: taster\n"), " ",
                        FateName(sink.results[4].fate), " ", sink.results[4].effective_url);
  };
  EXPECT_EQ(Inside(1, begin, end),
            absl::StrCat("503 cancelled 1 cancelled ", server_.Url("/hello")));
}

TEST_F(TransferLoopTest, WhatCannotBeginSaysWhy) {
  const auto begin = [&](TransferLoop& loop, NotingSink& /*sink*/) {
    Transfer transfer = To("/hello");
    transfer.headers = {"A: b\r\nC: d"};
    loop.Add(1, transfer);
    loop.Add(2, To("/hello"));
  };
  const auto end = [](NotingSink& sink) {
    return absl::StrCat(sink.results[1].code, " ", sink.results[1].text, "; ", sink.bodies[2]);
  };
  EXPECT_EQ(Inside(2, begin, end),
            absl::StrCat("2 a header is empty, or has a line break or a NUL in it; ", kHelloBody));
}

}  // namespace
}  // namespace sockgate::testing
