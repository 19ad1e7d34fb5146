#include "tool/fetch/fetch_plan.h"

#include <curl/curl.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tool/fetch/request_body.h"
#include "tool/fetch/url_list.h"

namespace sockgate {
namespace {

using Kind = BodyPlace::Kind;

std::string InTemp(const std::string& name) {
  return absl::StrCat(std::getenv("TEST_TMPDIR"), "/", name);
}

FetchOptions Options(std::vector<std::string> urls) {
  FetchOptions options;
  options.urls = std::move(urls);
  return options;
}

// The places of a plan's bodies: "-" for standard output.
std::string Places(const FetchOptions& options) {
  const auto plan = FetchPlan::Make(options);
  if (!plan.ok()) return std::string(plan.status().message());
  std::string places;
  for (const FetchJob& job : plan->jobs) {
    const bool is_output = job.place.kind == Kind::kStandardOutput;
    absl::StrAppend(&places, is_output ? "-" : job.place.path, " ");
  }
  return places;
}

TEST(FetchPlanTest, AListHasUrlsAndNothingElse) {
  const auto listed = ParseUrlList("# head\n\n  http://a.example/ \r\nb.example/x\n", "list");
  ASSERT_TRUE(listed.ok()) << listed.status();
  std::string urls;
  for (const ListedUrl& one : *listed) absl::StrAppend(&urls, one.line, " ", one.url, ", ");
  EXPECT_EQ(urls, "3 http://a.example/, 4 b.example/x, ");
  for (const char* none : {"-o /etc/passwd http://a.example/", "http://a b/", "http://a:0/"}) {
    EXPECT_EQ(UrlFault::Of(none).code, CURLE_URL_MALFORMAT) << none;
  }
}

TEST(FetchPlanTest, ALineThatIsTooLongIsNotKept) {
  std::ofstream(InTemp("list")) << "http://a/" << std::string(1 << 20, 'x') << "\nhttp://a/2\n";
  FetchOptions options = Options({});
  options.input_file = InTemp("list");
  const auto plan = FetchPlan::Make(options);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->jobs.size(), 2U);
  EXPECT_EQ(plan->jobs[0].fault.text, "a URL has at most 65536 bytes");
  EXPECT_LT(plan->jobs[0].url.size(), 65538U);
  EXPECT_EQ(plan->Where(plan->jobs[0]), absl::StrCat(InTemp("list"), ":1"));
  EXPECT_TRUE(plan->jobs[1].fault.ok());
}

TEST(FetchPlanTest, EachOutputIsForOneUrlInTheirOrder) {
  FetchOptions options = Options({"http://a/1", "http://a/2", "http://a/3"});
  EXPECT_EQ(Places(options), "- - - ");
  options.outputs = {{true, ""}, {false, "two"}};
  EXPECT_EQ(Places(options), "1 two - ");
  options.remote_name_all = true;
  EXPECT_EQ(Places(options), "1 two 3 ");
  options.outputs.resize(4);
  EXPECT_EQ(Places(options), "there are more of -o and -O than URLs");
}

TEST(FetchPlanTest, OneRemoteNameIsForAWholeList) {
  std::ofstream(InTemp("list")) << "http://a/1\nhttp://a/2\n";
  FetchOptions options = Options({});
  options.input_file = InTemp("list");
  EXPECT_EQ(Places(options), "- - ");
  options.outputs = {{true, ""}};
  EXPECT_EQ(Places(options), "1 2 ");
  options.urls = {"http://a/0"};
  EXPECT_EQ(Places(options), "0 - - ");
  options.outputs.push_back({true, ""});
  EXPECT_EQ(Places(options), "0 1 2 ");
  options.outputs.back() = {false, "one"};
  EXPECT_EQ(Places(options),
            "-o is for one URL of the command line: for those of --input-file write -O");
}

TEST(FetchPlanTest, TwoUrlsAreNotWrittenOverEachOther) {
  FetchOptions options = Options({"http://a/x", "http://b/x"});
  options.remote_name_all = true;
  EXPECT_EQ(Places(options),
            "http://b/x: -O: an earlier URL ends in 'x', too: write --no-clobber to number them, "
            "or -o FILE");
  options.no_clobber = true;
  EXPECT_EQ(Places(options), "x x ");
  std::ofstream(InTemp("same")) << "http://a/x\n\nhttp://b/x\n";
  options = Options({});
  options.input_file = InTemp("same");
  options.remote_name_all = true;
  // The list may be long, and a stranger's.
  const auto plan = FetchPlan::Make(options);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_TRUE(plan->jobs[0].fault.ok());
  EXPECT_EQ(plan->jobs[1].fault.code, CURLE_WRITE_ERROR);
  EXPECT_EQ(plan->jobs[1].fault.text,
            "-O: an earlier URL ends in 'x', too: write --no-clobber to number them");
  // What is not fetched has no name.
  std::ofstream(InTemp("same")) << "file:///x\nhttp://a/x\ngopher://b/x\n";
  const auto mixed = FetchPlan::Make(options);
  ASSERT_TRUE(mixed.ok()) << mixed.status();
  EXPECT_EQ(mixed->jobs[0].fault.code, CURLE_UNSUPPORTED_PROTOCOL);
  EXPECT_TRUE(mixed->jobs[1].fault.ok()) << mixed->jobs[1].fault.text;
  EXPECT_EQ(mixed->jobs[2].fault.code, CURLE_UNSUPPORTED_PROTOCOL);
}

TEST(FetchPlanTest, OutputsAreInTheirFolder) {
  FetchOptions options = Options({"http://a/1", "http://a/2"});
  options.output_dir = InTemp("none");
  EXPECT_TRUE(absl::EndsWith(Places(options), "is no folder: make it first"));
  options.output_dir = InTemp("");
  options.outputs = {{false, "sub/one"}, {false, "/dev/null"}};
  EXPECT_EQ(Places(options), absl::StrCat(InTemp("/sub/one"), " /dev/null "));
}

TEST(FetchPlanTest, ResultsTakeThePlaceOfBodies) {
  FetchOptions options = Options({"http://a/1"});
  options.json = true;
  const auto plan = FetchPlan::Make(options);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->jobs[0].place.kind, Kind::kNowhere);
}

TEST(FetchPlanTest, BodiesAreJoinedAndFilesRead) {
  std::ofstream(InTemp("body")) << "x=1\r\ny=2\n";
  using Part = BodyPart::Kind;
  const std::string file = absl::StrCat("@", InTemp("body"));
  EXPECT_EQ(*ReadRequestBody({{Part::kData, "a=b"}, {Part::kData, file}}), "a=b&x=1y=2");
  EXPECT_EQ(*ReadRequestBody({{Part::kBinary, file}}), "x=1\r\ny=2\n");
  EXPECT_EQ(*ReadRequestBody({{Part::kText, "@x"}}), "@x");
  EXPECT_FALSE(ReadRequestBody({{Part::kData, "@" + InTemp("none")}}).ok());
}

TEST(FetchPlanTest, AHeaderIsOneLine) {
  EXPECT_TRUE(ReadRequestHeaders({"A: b", "Accept:", "X-Empty;"}).ok());
  for (const char* bad : {"A: b\r\nC: d", "no colon", ": x", "A b: c", ""}) {
    EXPECT_FALSE(ReadRequestHeaders({bad}).ok()) << bad;
  }
  std::ofstream(InTemp("headers")) << "A: b\r\n\nC: d\n";
  EXPECT_EQ(*ReadRequestHeaders({absl::StrCat("@", InTemp("headers"))}),
            (std::vector<std::string>{"A: b", "C: d"}));
}

TEST(FetchPlanTest, ABodyIsPosted) {
  FetchOptions options = Options({"http://a/"});
  options.data = {{BodyPart::Kind::kData, ""}};
  EXPECT_EQ(FetchPlan::Make(options)->request.Method(), "POST");
  options.method = "PUT";
  EXPECT_EQ(FetchPlan::Make(options)->request.Method(), "PUT");
  options.method = "PUT x";
  EXPECT_FALSE(FetchPlan::Make(options).ok());
}

TEST(FetchPlanTest, AShortTimeIsNoneOfForever) {
  FetchOptions options = Options({"http://a/"});
  options.max_time_s = 0.0001;
  EXPECT_EQ(FetchPlan::Make(options)->request.max_time.count(), 1);
}

}  // namespace
}  // namespace sockgate
