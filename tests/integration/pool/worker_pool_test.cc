// A pool whose workers are well: what it fetches, and what it keeps to.

#include "client/launch/pool/worker_pool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/broker/temp_folder.h"
#include "tests/integration/confined.h"
#include "tests/integration/pipe_text.h"
#include "tests/integration/pool/pool_run.h"
#include "tests/integration/server_process.h"
#include "tests/support/byte_pattern.h"
#include "tests/support/http_routes.h"
#include "tests/support/process_stats.h"

namespace sockgate::testing {
namespace {

using launch::WorkerPool;

constexpr size_t kMebibyte = size_t{1024} * 1024;

class WorkerPoolTest : public ::testing::Test {
 protected:
  ServerProcess server_{LoopbackServer::Options()};
  BrokerProcess broker_ = StartBroker({"127.0.0.1:*"});
};

Transfer To(const std::string& url) {
  Transfer transfer;
  transfer.url = url;
  return transfer;
}

TEST_F(WorkerPoolTest, BodiesOfAllSizesArriveWhole) {
  PoolRun run(PoolOptions(broker_, 2, 4));
  std::map<TransferId, size_t> sizes;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{65537}, 8 * kMebibyte}) {
    sizes[run.Add(server_.Url(absl::StrCat("/bytes/", size)))] = size;
  }
  ASSERT_TRUE(run.Run().ok());
  for (const auto& [id, size] : sizes) {
    const Fetched& fetched = run[id];
    EXPECT_TRUE(fetched.result.ok()) << fetched.result.text;
    EXPECT_TRUE(fetched.body == PatternBytes(size)) << size;
    EXPECT_EQ(fetched.result.body_bytes, size);
    EXPECT_EQ(fetched.heads, size == 0 ? 0 : 1);
  }
}

TEST_F(WorkerPoolTest, TwoHundredUrlsAreSharedByThreeWorkers) {
  int channels = 0;
  PoolRun run(PoolOptions(broker_, 3, 10, &channels));
  std::map<TransferId, size_t> sizes;
  for (size_t i = 0; i < 200; ++i) {
    sizes[run.Add(server_.Url(absl::StrCat("/bytes/", i * 97)))] = i * 97;
  }
  ASSERT_TRUE(run.Run().ok());
  for (const auto& [id, size] : sizes) {
    EXPECT_EQ(run[id].results, 1);
    EXPECT_TRUE(run[id].result.ok()) << run[id].result.text;
    EXPECT_TRUE(run[id].body == PatternBytes(size)) << size;
  }
  EXPECT_EQ(channels, 3);
}

TEST_F(WorkerPoolTest, AResultSaysWhatWasFetchedFromWhere) {
  PoolRun run(PoolOptions(broker_, 1, 1));
  Transfer transfer = To(server_.Url("/redirect?to=/hello"));
  transfer.follow = true;
  const TransferId id = run.Add(transfer);
  ASSERT_TRUE(run.Run().ok());
  const TransferResult& result = run[id].result;
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.status, 200U);
  EXPECT_EQ(result.effective_url, server_.Url("/hello"));
  EXPECT_EQ(result.address, "127.0.0.1");
  EXPECT_EQ(result.port, server_.port());
  EXPECT_EQ(result.redirects, 1U);
  EXPECT_EQ(result.verdict, BrokerVerdict::kAllowed);
  EXPECT_EQ(result.rule, 1U);
  EXPECT_EQ(result.attempts, 1U);
  EXPECT_TRUE(absl::StartsWith(result.head.headers, "HTTP/1.1 200 ")) << result.head.headers;
  EXPECT_EQ(result.head.headers, run[id].head.headers);
  EXPECT_GT(result.timings.first_byte, 0U);
  EXPECT_GE(result.timings.total, result.timings.first_byte);
  EXPECT_EQ(run[id].body, kHelloBody);
}

TEST_F(WorkerPoolTest, ADeniedUrlNamesRuleAndReason) {
  Role role;
  role.name = "test";
  role.policy = Policy({*Rule::Parse(Decision::kAllow, "127.0.0.0/8:*"),
                        *Rule::Parse(Decision::kDeny, "127.0.0.9/32:*")});
  BrokerProcess broker = StartBrokerWith(std::move(role));
  PoolRun run(PoolOptions(broker, 1, 3));
  const TransferId by_rule = run.Add("http://127.0.0.9/");
  const TransferId by_default = run.Add("http://192.0.2.1/");
  Transfer transfer = To(server_.Url("/redirect?to=http://127.0.0.9:81/"));
  transfer.follow = true;
  const TransferId by_redirect = run.Add(transfer);
  ASSERT_TRUE(run.Run().ok());
  EXPECT_EQ(run[by_rule].result.verdict, BrokerVerdict::kDenied);
  EXPECT_EQ(run[by_rule].result.rule, 2U);
  EXPECT_EQ(run[by_rule].result.error.reason, Reason::kDenyRule);
  EXPECT_EQ(run[by_rule].result.code, static_cast<uint32_t>(CURLE_COULDNT_CONNECT));
  EXPECT_EQ(run[by_rule].result.text, "127.0.0.9:80: denied by rule 2 (deny-rule)");
  EXPECT_EQ(run[by_default].result.verdict, BrokerVerdict::kDenied);
  EXPECT_EQ(run[by_default].result.text, "192.0.2.1:80: denied by the default (no-rule-matches)");
  EXPECT_EQ(run[by_redirect].result.verdict, BrokerVerdict::kDenied);
  EXPECT_EQ(run[by_redirect].result.text, "127.0.0.9:81: denied by rule 2 (deny-rule)");
}

TEST_F(WorkerPoolTest, ALargeBodyEndsAtMaxFilesize) {
  PoolRun run(PoolOptions(broker_, 1, 2));
  Transfer transfer = To(server_.Url("/bytes/1000001"));
  transfer.max_filesize = 1000000;
  const TransferId larger = run.Add(transfer);
  transfer.max_filesize = 1000001;
  const TransferId just_right = run.Add(transfer);
  ASSERT_TRUE(run.Run().ok());
  EXPECT_EQ(run[larger].result.code, static_cast<uint32_t>(CURLE_FILESIZE_EXCEEDED));
  EXPECT_EQ(run[larger].result.text, "the body is larger than 1000000 bytes");
  EXPECT_LE(run[larger].body.size(), 1000000U);
  EXPECT_TRUE(run[just_right].result.ok());
}

TEST_F(WorkerPoolTest, RequestsAreMadeAsTheyAreWritten) {
  PoolRun run(PoolOptions(broker_, 1, 8));
  Transfer post = To(server_.Url("/echo"));
  post.body = PatternBytes(3 * kMebibyte);
  post.headers = {"Content-Type: text/strange"};
  const TransferId posted = run.Add(post);
  Transfer put = post;
  put.method = "PUT";
  put.body = "put";
  const TransferId was_put = run.Add(put);
  Transfer head = To(server_.Url("/bytes/1000"));
  head.method = "HEAD";
  const TransferId headed = run.Add(head);
  Transfer headers = To(server_.Url("/headers"));
  headers.headers = {"X-Taste: salty", "Accept:"};
  const TransferId listed = run.Add(headers);
  Transfer packed = To(server_.Url("/encoded/gzip"));
  packed.compressed = true;
  const TransferId unpacked = run.Add(packed);
  Transfer missing = To(server_.Url("/status/404"));
  missing.fail_on_http_error = true;
  const TransferId failed = run.Add(missing);
  Transfer slow = To(server_.Url("/slow/60000"));
  slow.max_time = std::chrono::milliseconds(200);
  const TransferId late = run.Add(slow);
  ASSERT_TRUE(run.Run().ok());
  EXPECT_TRUE(run[posted].body == post.body) << run[posted].result.text;
  EXPECT_EQ(run[posted].result.content_type, "text/strange");
  EXPECT_EQ(run[posted].result.upload_bytes, post.body.size());
  EXPECT_EQ(run[was_put].body, "put");
  EXPECT_TRUE(run[headed].result.ok());
  EXPECT_EQ(run[headed].body, "");
  EXPECT_TRUE(absl::StrContains(run[headed].result.head.headers, "Content-Length: 1000\r\n"));
  EXPECT_TRUE(absl::StrContains(run[listed].body, "X-Taste: salty\n")) << run[listed].body;
  EXPECT_FALSE(absl::StrContains(run[listed].body, "Accept:")) << run[listed].body;
  EXPECT_EQ(run[unpacked].body, kEncodedBody);
  EXPECT_EQ(run[failed].result.code, static_cast<uint32_t>(CURLE_HTTP_RETURNED_ERROR));
  EXPECT_EQ(run[failed].result.status, 404U);
  EXPECT_EQ(run[late].result.code, static_cast<uint32_t>(CURLE_OPERATION_TIMEDOUT));
}

TEST_F(WorkerPoolTest, CertificatesAreCheckedByTheFileThatIsGiven) {
  LoopbackServer::Options tls;
  tls.tls = true;
  ServerProcess server(tls);
  ServerProcess stranger(tls);
  const TempFolder folder;
  WorkerPool::Options options = PoolOptions(broker_, 1, 3);
  options.ca_file = folder / "ca.pem";
  {
    const UniqueFd file(open(options.ca_file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    WriteAll(file.get(), server.certificate_pem());
  }
  PoolRun run(std::move(options));
  const TransferId trusted = run.Add(server.Url("/hello"));
  const TransferId refused = run.Add(stranger.Url("/hello"));
  Transfer transfer = To(stranger.Url("/hello"));
  transfer.insecure = true;
  const TransferId unchecked = run.Add(transfer);
  ASSERT_TRUE(run.Run().ok());
  EXPECT_EQ(run[trusted].body, kHelloBody) << run[trusted].result.text;
  EXPECT_EQ(run[refused].result.code, static_cast<uint32_t>(CURLE_PEER_FAILED_VERIFICATION));
  EXPECT_EQ(run[unchecked].body, kHelloBody);
}

TEST_F(WorkerPoolTest, ABodyCanGoToADescriptorOfTheWorkers) {
  const UniqueFd file(memfd_create("body", MFD_CLOEXEC));
  WorkerPool::Options options = PoolOptions(broker_, 1, 1);
  options.worker.keep_descriptors = {file.get()};
  PoolRun run(std::move(options));
  Transfer transfer = To(server_.Url("/bytes/100000"));
  transfer.output = file.get();
  const TransferId id = run.Add(transfer);
  ASSERT_TRUE(run.Run().ok());
  EXPECT_EQ(run[id].result.body_bytes, 100000U) << run[id].result.text;
  EXPECT_EQ(run[id].body, "");
  std::string body(100001, '\0');
  body.resize(static_cast<size_t>(pread(file.get(), &body[0], body.size(), 0)));
  EXPECT_TRUE(body == PatternBytes(100000));
}

// Of 96 MiB that the server would send meanwhile.
TEST_F(WorkerPoolTest, ASlowCallbackStopsTheWorkerAndMemoryStaysBounded) {
  constexpr size_t kSize = 24 * kMebibyte;
  PoolRun run(PoolOptions(broker_, 1, 4));
  run.keep_bodies = false;
  size_t received = 0;
  size_t grown = SIZE_MAX;
  const auto memory = [] {
    return *ResidentBytes(getpid()) + *ResidentBytes(ChildrenOf(NurseryPid()).at(0));
  };
  run.on_body = [&](TransferId /*id*/, absl::string_view piece) {
    received += piece.size();
    if (grown != SIZE_MAX || received < kMebibyte) return;
    const size_t before = memory();
    usleep(500000);
    grown = std::max(memory(), before) - before;
  };
  std::vector<TransferId> ids;
  ids.reserve(4);
  for (int i = 0; i < 4; ++i) ids.push_back(run.Add(server_.Url(absl::StrCat("/bytes/", kSize))));
  ASSERT_TRUE(run.Run().ok());
  EXPECT_EQ(received, 4 * kSize);
  for (const TransferId id : ids) EXPECT_EQ(run[id].result.body_bytes, kSize);
  EXPECT_LT(grown, 4 * kMebibyte);
}

TEST_F(WorkerPoolTest, ACancelledTransferIsDoneAndOthersGoOn) {
  PoolRun run(PoolOptions(broker_, 1, 2));
  const TransferId slow = run.Add(server_.Url("/slow/60000"));
  const TransferId endless = run.Add(server_.Url("/bytes/1099511627776"));
  const TransferId waiting = run.Add(server_.Url("/hello"));
  const TransferId last = run.Add(server_.Url("/hello"));
  ASSERT_TRUE(run.RunUntil([&] { return run[endless].body.size() > 100000; }));
  EXPECT_TRUE(run.pool().Cancel(slow));
  EXPECT_TRUE(run.pool().Cancel(endless));
  EXPECT_TRUE(run.pool().Cancel(waiting));
  EXPECT_TRUE(run.pool().Cancel(endless));
  const size_t had = run[endless].body.size();
  ASSERT_TRUE(run.Run().ok());
  for (const TransferId id : {slow, endless, waiting}) {
    EXPECT_EQ(run[id].result.fate, Fate::kCancelled) << run[id].result.text;
    EXPECT_EQ(run[id].results, 1);
    EXPECT_FALSE(run.pool().Cancel(id));
  }
  EXPECT_EQ(run[endless].body.size(), had);
  EXPECT_EQ(run[waiting].result.attempts, 0U);
  EXPECT_EQ(run[last].body, kHelloBody);
}

TEST_F(WorkerPoolTest, CallbacksMayAddAndCancel) {
  PoolRun run(PoolOptions(broker_, 2, 2));
  int left = 20;
  run.on_done = [&](const TransferResult& /*result*/) {
    if (left-- > 0) run.Add(server_.Url("/bytes/70000"));
  };
  run.on_body = [&](TransferId id, absl::string_view /*piece*/) {
    if (id % 5 == 0) run.pool().Cancel(id);
  };
  run.Add(server_.Url("/bytes/70000"));
  ASSERT_TRUE(run.Run().ok());
  EXPECT_EQ(left, -1);
  for (TransferId id = 1; id <= 21; ++id) {
    EXPECT_EQ(run[id].result.fate, id % 5 == 0 ? Fate::kCancelled : Fate::kEnded) << id;
  }
}

TEST_F(WorkerPoolTest, AnotherLoopIsWokenByTheDescriptor) {
  PoolRun run(PoolOptions(broker_, 1, 2));
  const auto is_due = [&](int wait_ms) {
    pollfd watched = {run.pool().descriptor(), POLLIN, 0};
    return poll(&watched, 1, wait_ms) == 1;
  };
  EXPECT_FALSE(is_due(0));
  const TransferId id = run.Add(server_.Url("/hello"));
  int polls = 0;
  while (!run.pool().idle()) {
    ASSERT_TRUE(is_due(10000));
    ASSERT_TRUE(run.pool().Poll(std::chrono::milliseconds(0)).ok());
    ASSERT_LT(++polls, 100);
  }
  EXPECT_EQ(run[id].body, kHelloBody);
  EXPECT_FALSE(is_due(0));
}

TEST_F(WorkerPoolTest, WorkersAreReplacedAfterSoManyTransfers) {
  int channels = 0;
  WorkerPool::Options options = PoolOptions(broker_, 1, 2, &channels);
  options.recycle_after = 4;
  PoolRun run(std::move(options));
  std::vector<TransferId> ids;
  ids.reserve(12);
  for (int i = 0; i < 12; ++i) ids.push_back(run.Add(server_.Url("/hello")));
  ASSERT_TRUE(run.Run().ok());
  for (const TransferId id : ids) EXPECT_EQ(run[id].body, kHelloBody);
  EXPECT_EQ(channels, 3);
}

// More would fill the nursery's socket, and launcher and nursery would wait for each other.
TEST_F(WorkerPoolTest, OfManyWorkersFewAreStartedAtOnce) {
  int starting = 0;
  int most = 0;
  int done = 0;
  WorkerPool::Options options = PoolOptions(broker_, 33, 1);
  options.channel = [&] {
    most = std::max(most, ++starting);
    return broker_.AddWorker("test");
  };
  WorkerPool::Callbacks callbacks;
  callbacks.on_worker = [&](absl::string_view /*layers*/) { --starting; };
  callbacks.on_done = [&](const TransferResult& result) { done += result.ok() ? 1 : 0; };
  auto pool = WorkerPool::Start(std::move(options), std::move(callbacks));
  ASSERT_TRUE(pool.ok());
  for (int i = 0; i < 33; ++i) ASSERT_TRUE((*pool)->Add(To(server_.Url("/hello"))).ok());
  ASSERT_TRUE((*pool)->Run().ok());
  EXPECT_EQ(done, 33);
  EXPECT_EQ(most, 32);
}

TEST_F(WorkerPoolTest, NothingIsLeftOfAPoolThatEndsMidway) {
  const size_t descriptors = *OpenFdCount(getpid());
  const std::vector<pid_t> children = ChildrenOf(getpid());
  {
    PoolRun run(PoolOptions(broker_, 3, 4));
    for (int i = 0; i < 20; ++i) run.Add(server_.Url("/bytes/1099511627776"));
    size_t received = 0;
    run.on_body = [&](TransferId /*id*/, absl::string_view piece) { received += piece.size(); };
    ASSERT_TRUE(run.RunUntil([&] { return received > kMebibyte; }));
    EXPECT_EQ(ChildrenOf(getpid()).size(), children.size() + 1);
  }
  EXPECT_EQ(*OpenFdCount(getpid()), descriptors);
  EXPECT_EQ(ChildrenOf(getpid()), children);
}

TEST_F(WorkerPoolTest, AWorkerSaysWhatHoldsIt) {
  std::string layers;
  WorkerPool::Callbacks callbacks;
  callbacks.on_worker = [&](absl::string_view text) { layers = absl::StrCat(text); };
  auto pool = WorkerPool::Start(PoolOptions(broker_, 1, 1), std::move(callbacks));
  ASSERT_TRUE(pool.ok());
  ASSERT_TRUE((*pool)->Add(To(server_.Url("/hello"))).ok());
  ASSERT_TRUE((*pool)->Run().ok());
  EXPECT_TRUE(absl::StrContains(layers, "seccomp (fetcher)")) << layers;
}

TEST_F(WorkerPoolTest, BesideOtherThreadsThereIsNoPool) {
  std::promise<void> end;
  std::thread other([&] { end.get_future().wait(); });
  EXPECT_TRUE(
      absl::IsFailedPrecondition(WorkerPool::Start(PoolOptions(broker_, 1, 1), {}).status()));
  end.set_value();
  other.join();
}

TEST_F(WorkerPoolTest, WhatCannotBeIsRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(WorkerPool::Start({}, {}).status()));
  WorkerPool::Options options = PoolOptions(broker_, 1, 1);
  options.ca_file = "/nonexistent/ca.pem";
  EXPECT_FALSE(WorkerPool::Start(options, {}).ok());
  PoolRun run(PoolOptions(broker_, 1, 1));
  Transfer transfer = To("");
  EXPECT_TRUE(absl::IsInvalidArgument(run.pool().Add(transfer).status()));
  transfer.url = server_.Url("/");
  transfer.headers = {"X: y\r\nHost: elsewhere.example"};
  EXPECT_TRUE(absl::IsInvalidArgument(run.pool().Add(transfer).status()));
  transfer.headers = {};
  transfer.method = "GET /elsewhere HTTP/1.1";
  EXPECT_TRUE(absl::IsInvalidArgument(run.pool().Add(transfer).status()));
  EXPECT_TRUE(run.pool().idle());
}

}  // namespace
}  // namespace sockgate::testing
