// What a role remembers of the DNS's answers, and for how long. Time is the test's own.

#include "broker/dns_cache.h"

#include <gtest/gtest.h>

#include <chrono>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class DnsCacheTest : public ::testing::Test {
 protected:
  static HostName Name(absl::string_view text) { return HostName::Parse(text).value(); }

  uint32_t Put(absl::string_view name, ResolverStatus status, uint32_t ttl) {
    auto answer = std::make_shared<DnsAnswer>();
    answer->status = status;
    answer->ttl_seconds = ttl;
    return cache_.Put(Name(name), std::move(answer), now_);
  }
  bool Has(absl::string_view name) { return cache_.Find(Name(name), now_).answer != nullptr; }

  DnsCache cache_{3, {2, 100, 10}};
  TimePoint now_ = TimePoint() + seconds(1000);
};

TEST_F(DnsCacheTest, KeepsAnAnswerForItsTime) {
  EXPECT_EQ(Put("a.org", ResolverStatus::kFound, 30), 30U);
  EXPECT_FALSE(Has("b.org"));
  now_ += milliseconds(500);
  EXPECT_EQ(cache_.Find(Name("A.org."), now_).ttl_seconds, 29U);
  now_ += seconds(29);
  EXPECT_EQ(cache_.Find(Name("a.org"), now_).ttl_seconds, 0U);
  now_ += milliseconds(500);
  EXPECT_FALSE(Has("a.org"));
  EXPECT_EQ(cache_.size(), 0U);
}

TEST_F(DnsCacheTest, BringsTheTimeWithinItsBounds) {
  EXPECT_EQ(Put("a.org", ResolverStatus::kFound, 1), 2U);
  EXPECT_EQ(Put("a.org", ResolverStatus::kFound, UINT32_MAX), 100U);
  EXPECT_EQ(Put("a.org", ResolverStatus::kNoName, UINT32_MAX), 10U);
  EXPECT_EQ(Put("a.org", ResolverStatus::kNoAddress, 1), 2U);
}

TEST_F(DnsCacheTest, ATtlOfZeroIsNotKeptAndEndsWhatWasThere) {
  Put("a.org", ResolverStatus::kFound, 30);
  EXPECT_EQ(Put("a.org", ResolverStatus::kFound, 0), 0U);
  EXPECT_FALSE(Has("a.org"));
}

TEST_F(DnsCacheTest, KeepsThatThereIsNothing) {
  Put("a.org", ResolverStatus::kNoName, 5);
  Put("b.org", ResolverStatus::kNoAddress, 5);
  EXPECT_EQ(cache_.Find(Name("a.org"), now_).answer->status, ResolverStatus::kNoName);
  EXPECT_EQ(cache_.Find(Name("b.org"), now_).answer->status, ResolverStatus::kNoAddress);
  now_ += seconds(5);
  EXPECT_FALSE(Has("a.org"));
}

TEST_F(DnsCacheTest, KeepsNoTrouble) {
  for (const ResolverStatus status :
       {ResolverStatus::kTryAgain, ResolverStatus::kBusy, ResolverStatus::kFailed}) {
    EXPECT_EQ(Put("a.org", status, 60), 0U);
    EXPECT_FALSE(Has("a.org"));
  }
}

TEST_F(DnsCacheTest, WhenFullForgetsWhatNobodyAskedForLongest) {
  for (const char* name : {"a.org", "b.org", "c.org"}) Put(name, ResolverStatus::kFound, 30);
  EXPECT_TRUE(Has("a.org"));
  Put("d.org", ResolverStatus::kFound, 30);
  EXPECT_FALSE(Has("b.org"));
  for (const char* name : {"a.org", "c.org", "d.org"}) EXPECT_TRUE(Has(name)) << name;
  EXPECT_EQ(cache_.size(), 3U);
}

TEST_F(DnsCacheTest, AnAnswerInUseOutlivesItsEntry) {
  Put("a.org", ResolverStatus::kFound, 30);
  const DnsCache::Hit hit = cache_.Find(Name("a.org"), now_);
  Put("a.org", ResolverStatus::kNoName, 30);
  EXPECT_EQ(hit.answer->status, ResolverStatus::kFound);
}

TEST_F(DnsCacheTest, StaysWithinItsBoundWhateverComes) {
  for (int i = 0; i < 1000; ++i) {
    Put(absl::StrCat("n", i, ".org"), ResolverStatus::kFound, 30);
    EXPECT_LE(cache_.size(), 3U);
  }
  EXPECT_TRUE(Has("n999.org"));
}

}  // namespace
}  // namespace sockgate
