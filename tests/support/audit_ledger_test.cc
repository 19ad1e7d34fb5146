// The ledger tells a whole log from one that is not.

#include "tests/support/audit_ledger.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "absl/strings/str_cat.h"

namespace sockgate::testing {
namespace {

std::string Line(const char* event, const char* rest, int request = 1) {
  return absl::StrCat("{\"event\":\"", event, "\",\"channel\":7,\"request\":", request, ",", rest,
                      "}");
}

const std::string kAllowed = Line("decision", "\"verdict\":\"allow\"");
const std::string kDenied = Line("decision", "\"verdict\":\"deny\"");
const std::string kConnected = Line("completion", "\"outcome\":\"connected\"");
const std::string kFailed = Line("completion", "\"outcome\":\"failed\",\"errno\":111");
const std::string kLimited =
    Line("completion", "\"outcome\":\"limited\",\"reason\":\"too-many-pending\"");
const std::string kNameAllowed = Line("lookup", "\"verdict\":\"allow\"");
const std::string kNameDenied = Line("lookup", "\"verdict\":\"deny\"");
const std::string kResolved = Line("answer", "\"outcome\":\"resolved\"");

AuditLedger Of(std::initializer_list<std::string> lines) {
  AuditLedger ledger;
  for (const std::string& line : lines) ledger.AddText(line);
  return ledger;
}

TEST(AuditLedger, IsContentWithWholeStories) {
  EXPECT_EQ(Of({kAllowed, kConnected}).Fault(), "");
  EXPECT_EQ(Of({kDenied}).Fault(), "");
  EXPECT_EQ(Of({kLimited}).Fault(), "");
  EXPECT_EQ(Of({kNameAllowed, kResolved}).Fault(), "");
  EXPECT_EQ(Of({kNameAllowed, kNameAllowed, kResolved}).Fault(), "") << "a reload in between";
  EXPECT_EQ(Of({kNameAllowed, kNameDenied}).Fault(), "");
}

TEST(AuditLedger, SeesWhatIsMissing) {
  EXPECT_EQ(Of({kAllowed}).Fault(), "channel 7, request 1 has no end");
  EXPECT_EQ(Of({kConnected}).Fault(), "channel 7, request 1 has no decision");
  EXPECT_EQ(Of({kNameAllowed}).Fault(), "channel 7, request 1 has no end");
}

TEST(AuditLedger, SeesWhatIsThereTwice) {
  EXPECT_EQ(Of({kAllowed, kAllowed, kConnected}).Fault().find("decided twice"), 0U);
  EXPECT_EQ(Of({kAllowed, kConnected, kFailed}).Fault().find("ended twice"), 0U);
  EXPECT_EQ(Of({kConnected, kAllowed}).Fault().find("decided after its end"), 0U);
  EXPECT_EQ(Of({kDenied, kConnected}).Fault(), "channel 7, request 1 was denied and has an end");
  EXPECT_EQ(Of({kDenied, kResolved}).Fault(), "channel 7, request 1 is a connect and a lookup");
}

TEST(AuditLedger, SeesTornAndLostLines) {
  EXPECT_EQ(Of({kAllowed.substr(0, 30)}).Fault().find("a torn line"), 0U);
  EXPECT_EQ(Of({"{\"event\":\"lost\",\"lines\":3}"}).Fault().find("lines were lost"), 0U);
}

TEST(AuditLedger, RemembersWhatBecameOfEach) {
  AuditLedger ledger = Of({kAllowed, kFailed, kDenied});
  ledger.AddText(Line("lookup", "\"verdict\":\"deny\"", 2));
  const AuditLedger::Request* failed = ledger.Find(7, 1);
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->told(), Outcome::kFailed);
  EXPECT_EQ(failed->error, 111);
  EXPECT_EQ(ledger.Find(7, 2)->told(), Outcome::kDenied);
  EXPECT_EQ(ledger.Find(7, 3), nullptr);
  EXPECT_EQ(ledger.Find(8, 1), nullptr);
  EXPECT_EQ(Of({kLimited}).Find(7, 1)->reason, Reason::kPending);
}

TEST(AuditLedger, SumsUp) {
  AuditLedger ledger = Of({kAllowed, kConnected});
  ledger.AddText(Line("decision", "\"verdict\":\"deny\"", 2));
  ledger.AddText(Line("answer", "\"outcome\":\"limited\"", 3));
  ledger.AddText("{\"event\":\"channel\",\"channel\":7,\"change\":\"opened\"}");
  EXPECT_EQ(ledger.Connects(Outcome::kConnected), 1U);
  EXPECT_EQ(ledger.Connects(Outcome::kDenied), 1U);
  EXPECT_EQ(ledger.Connects(Outcome::kLimited), 0U);
  EXPECT_EQ(ledger.Lookups(Outcome::kLimited), 1U);
  EXPECT_EQ(ledger.Changes("opened"), 1U);
  EXPECT_EQ(ledger.lines(), 5U);
}

}  // namespace
}  // namespace sockgate::testing
