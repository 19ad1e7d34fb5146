// TrustStore with the system's libcurl and OpenSSL against real TLS servers on loopback.

#include "client/launch/trust_store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/support/curl_fetch.h"
#include "tests/support/http_server.h"

namespace sockgate::launch {
namespace {

using testing::CurlHandle;
using testing::LoopbackServer;
using Way = TrustStore::Way;

constexpr char kSystemFile[] = "/etc/ssl/certs/ca-certificates.crt";

std::unique_ptr<LoopbackServer> StartServer(const std::string& address = "127.0.0.1") {
  LoopbackServer::Options options;
  options.address = address;
  options.tls = true;
  auto server = LoopbackServer::Start(options);
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

std::string SystemBundle() {
  std::ifstream file(kSystemFile);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string Write(const std::string& name, const std::string& text) {
  std::string path = absl::StrCat(::testing::TempDir(), "/", name);
  std::ofstream(path) << text;
  return path;
}

CurlHandle Trusting(const TrustStore& trust) {
  CurlHandle easy = testing::NewCurl("");
  EXPECT_TRUE(trust.Attach(easy.get()).ok());
  curl_easy_setopt(easy.get(), CURLOPT_FRESH_CONNECT, 1L);
  return easy;
}

CURLcode Get(const CurlHandle& easy, const std::string& url) {
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  return testing::Perform(easy.get()).code;
}

class TrustStoreWays : public ::testing::TestWithParam<Way> {
 protected:
  static std::unique_ptr<TrustStore> Trust(const std::string& pem) {
    auto trust = TrustStore::FromPem(pem, "the test's", GetParam());
    EXPECT_TRUE(trust.ok()) << trust.status();
    return *std::move(trust);
  }

  const std::unique_ptr<LoopbackServer> server_ = StartServer();
};

INSTANTIATE_TEST_SUITE_P(Ways, TrustStoreWays, ::testing::Values(Way::kBest, Way::kText),
                         [](const auto& way) { return way.param == Way::kBest ? "Best" : "Text"; });

TEST_P(TrustStoreWays, TrustsWhatItWasGiven) {
  const auto trust = Trust(server_->certificate_pem());
  const CurlHandle easy = Trusting(*trust);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Get(easy, server_->Url("/hello")), CURLE_OK);
}

TEST_P(TrustStoreWays, TrustsNobodyElse) {
  const auto other = StartServer("127.0.0.2");
  const auto trust = Trust(other->certificate_pem());
  const CurlHandle easy = Trusting(*trust);
  EXPECT_EQ(Get(easy, server_->Url("/hello")), CURLE_PEER_FAILED_VERIFICATION);
  EXPECT_EQ(Get(easy, other->Url("/hello")), CURLE_OK);
}

TEST_P(TrustStoreWays, ChecksTheNameInTheCertificate) {
  const auto trust = Trust(server_->certificate_pem());
  const CurlHandle easy = Trusting(*trust);
  curl_slist* elsewhere = curl_slist_append(
      nullptr, absl::StrCat("wrong.example:", server_->port(), ":127.0.0.1").c_str());
  curl_easy_setopt(easy.get(), CURLOPT_RESOLVE, elsewhere);
  EXPECT_EQ(Get(easy, absl::StrCat("https://wrong.example:", server_->port(), "/hello")),
            CURLE_PEER_FAILED_VERIFICATION);
  curl_easy_setopt(easy.get(), CURLOPT_RESOLVE, nullptr);
  curl_slist_free_all(elsewhere);
}

TEST_P(TrustStoreWays, LeavesItToTheHandleWhetherToVerify) {
  const auto other = StartServer("127.0.0.2");
  const auto trust = Trust(other->certificate_pem());
  const CurlHandle easy = Trusting(*trust);
  curl_easy_setopt(easy.get(), CURLOPT_SSL_VERIFYPEER, 0L);
  EXPECT_EQ(Get(easy, server_->Url("/hello")), CURLE_OK);
}

TEST_P(TrustStoreWays, FindsOneAmongAllThatTheSystemTrusts) {
  const auto trust = Trust(SystemBundle() + server_->certificate_pem());
  EXPECT_GT(trust->certificates(), 100U);
  const CurlHandle easy = Trusting(*trust);
  EXPECT_EQ(Get(easy, server_->Url("/hello")), CURLE_OK);
}

TEST_P(TrustStoreWays, ServesThreadsAtTheSameTime) {
  const auto trust = Trust(SystemBundle() + server_->certificate_pem());
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 5; ++round) {
        const CurlHandle easy = Trusting(*trust);
        failed += Get(easy, server_->Url("/hello")) == CURLE_OK ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
}

TEST(TrustStore, ReadsTheFileOnceOnly) {
  const auto server = StartServer();
  const std::string path = Write("once.pem", server->certificate_pem());
  const auto trust = TrustStore::Load(path);
  ASSERT_TRUE(trust.ok()) << trust.status();
  ASSERT_EQ(unlink(path.c_str()), 0);
  const CurlHandle easy = Trusting(**trust);
  EXPECT_EQ(Get(easy, server->Url("/hello")), CURLE_OK);
}

// Also where libcurl could take the connection of before, or resume its session.
TEST_P(TrustStoreWays, AnotherStoreIsAnotherTrust) {
  const auto other = StartServer("127.0.0.2");
  const auto first = Trust(server_->certificate_pem());
  const auto second = Trust(other->certificate_pem());
  const CurlHandle easy = testing::NewCurl("");
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(first->Attach(easy.get()).ok());
    EXPECT_EQ(Get(easy, server_->Url("/hello")), CURLE_OK);
    EXPECT_EQ(Get(easy, other->Url("/hello")), CURLE_PEER_FAILED_VERIFICATION);
    ASSERT_TRUE(second->Attach(easy.get()).ok());
    EXPECT_EQ(Get(easy, server_->Url("/hello")), CURLE_PEER_FAILED_VERIFICATION);
    EXPECT_EQ(Get(easy, other->Url("/hello")), CURLE_OK);
  }
}

// What one handle adds to its trust is its own affair.
TEST_P(TrustStoreWays, OneHandlesFilesAreNotTheOthers) {
  const auto other = StartServer("127.0.0.2");
  const auto trust = Trust(other->certificate_pem());
  const std::string file = Write("more.pem", server_->certificate_pem());
  {
    const CurlHandle easy = Trusting(*trust);
    curl_easy_setopt(easy.get(), CURLOPT_CAINFO, file.c_str());
    Get(easy, server_->Url("/hello"));
  }
  {
    const CurlHandle easy = Trusting(*trust);
    curl_easy_setopt(easy.get(), CURLOPT_CRLFILE, file.c_str());
    Get(easy, other->Url("/hello"));
  }
  const CurlHandle easy = Trusting(*trust);
  EXPECT_EQ(Get(easy, server_->Url("/hello")), CURLE_PEER_FAILED_VERIFICATION);
  EXPECT_EQ(Get(easy, other->Url("/hello")), CURLE_OK);
}

TEST(TrustStore, LoadsWhatTheSystemTrusts) {
  const auto trust = TrustStore::LoadSystem();
  ASSERT_TRUE(trust.ok()) << trust.status();
  EXPECT_GT((*trust)->certificates(), 100U);
}

TEST(TrustStore, NamesTheFileThatIsOfNoUse) {
  const absl::Status missing = TrustStore::Load("/no/such/file").status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StrContains(missing.message(), "/no/such/file")) << missing;
  const std::string path = Write("none.pem", "no certificate at all\n");
  const absl::Status empty = TrustStore::Load(path).status();
  EXPECT_EQ(empty.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(empty.message(), path)) << empty;
  const std::string broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  EXPECT_FALSE(TrustStore::FromPem(broken, "broken").ok());
}

}  // namespace
}  // namespace sockgate::launch
