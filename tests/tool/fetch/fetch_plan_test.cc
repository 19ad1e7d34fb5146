#include "tool/fetch/fetch_plan.h"

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
  const auto urls = ParseUrlList("# head\n\n  http://a.example/ \r\nb.example/x\n");
  ASSERT_TRUE(urls.ok()) << urls.status();
  ASSERT_EQ(urls->size(), 2U);
  EXPECT_EQ((*urls)[0].url, "http://a.example/");
  EXPECT_EQ((*urls)[1].url, "b.example/x");
  EXPECT_EQ((*urls)[1].line, 4U);
}

// The faults of a plan's URLs: curl's status, and why.
std::string Faults(const FetchOptions& options) {
  const auto plan = FetchPlan::Make(options);
  if (!plan.ok()) return std::string(plan.status().message());
  std::string faults;
  for (const FetchJob& job : plan->jobs) {
    absl::StrAppend(&faults, job.fault.code, job.fault.text.empty() ? "" : " ", job.fault.text,
                    "\n");
  }
  return faults;
}

TEST(FetchPlanTest, AUrlThatIsNoneIsItsOwnFault) {
  EXPECT_EQ(Faults(Options({"http://a b/", "http://a.example/", "http://a:0/", "http://a:99999/",
                            "file:///etc/passwd", "gopher://a/", "nonsense://a/"})),
            "3 it is not a URL\n0\n3 it has no host or port\n"
            "3 it has a port that is none: 1 to 65535\n1 'file' is not spoken here\n"
            "1 'gopher' is not spoken here\n1 'nonsense' is not spoken here\n");
}

TEST(FetchPlanTest, OneOfAListSaysWhereItStands) {
  const std::string list = InTemp("faulty");
  std::ofstream(list) << "http://a/1\n-o /etc/passwd http://a/\nhttp://a/\nhttp://b/1\n";
  FetchOptions options = Options({});
  options.input_file = list;
  options.outputs = {{true, ""}};
  EXPECT_EQ(Faults(options),
            absl::StrCat("0\n3 ", list, ":2: it is not a URL\n23 ", list,
                         ":3: -O: it has no file name at its end: write -o FILE for it on the "
                         "command line\n23 ",
                         list, ":4: -O: an earlier URL ends in '1', too: write --no-clobber to ",
                         "number them, or -o FILE\n"));
  EXPECT_EQ(Places(options), "1   1 ");
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
  EXPECT_EQ(Faults(options),
            "0\n23 -O: an earlier URL ends in 'x', too: write --no-clobber to number them, or -o "
            "FILE\n");
  options.no_clobber = true;
  EXPECT_EQ(Places(options), "x x ");
  EXPECT_EQ(Faults(options), "0\n0\n");
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
