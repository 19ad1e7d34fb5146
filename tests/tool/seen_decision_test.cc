#include "tool/seen_decision.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace sockgate {
namespace {

constexpr char kLine[] =
    R"({"time":"2026-01-02T03:04:05.000006Z","event":"decision","worker":1,"channel":2,)"
    R"("role":"crawler","request":3,"target":"192.0.2.1:443","transport":"stream",)"
    R"("mode":"connected","purpose":"transfer","verdict":"would-deny","rule":4,"line":12,)"
    R"("reason":"deny-rule","policy":2})";

std::string Said(absl::string_view line) {
  const auto seen = ParseAuditLine(line);
  if (!seen.ok()) return std::string(seen.status().message());
  if (!seen->has_value()) return "about something else";
  return absl::StrCat((*seen)->role, " ", (*seen)->target.ToString());
}

std::string SaidWith(absl::string_view from, absl::string_view to) {
  return Said(absl::StrReplaceAll(kLine, {{from, to}}));
}

TEST(SeenDecision, HasWhatTheLineSays) {
  const auto seen = ParseAuditLine(kLine);
  ASSERT_TRUE(seen.ok() && seen->has_value());
  const SeenDecision& decision = **seen;
  EXPECT_EQ(decision.role, "crawler");
  EXPECT_EQ(decision.target.ToString(), "192.0.2.1:443");
  EXPECT_EQ(decision.transport, Transport::kStream);
  EXPECT_EQ(decision.decision, Decision::kWouldDeny);
  EXPECT_EQ(decision.rule, 4U);
  EXPECT_EQ(decision.line, 12U);
  EXPECT_EQ(decision.policy, 2U);
  EXPECT_TRUE(decision.deny_rule);
  EXPECT_FALSE(decision.own);
  EXPECT_EQ(decision.date, 20260102U);
}

TEST(SeenDecision, TakesALineOfAnOlderBroker) {
  EXPECT_EQ(Said(R"({"event":"decision","role":"r","target":"[::1]:1","transport":"datagram",)"
                 R"("verdict":"allow"})"),
            "r [::1]:1");
  EXPECT_EQ(SaidWith("2026-01-02T", "yesterday"), "crawler 192.0.2.1:443");
  EXPECT_EQ(SaidWith(":12,", ":1e99,"), "crawler 192.0.2.1:443");
  EXPECT_EQ(SaidWith(":12,", ":-1,"), "crawler 192.0.2.1:443");
}

TEST(SeenDecision, HasTheNamesThatLedThere) {
  const auto names = [](absl::string_view json) {
    const auto seen = ParseAuditLine(
        absl::StrReplaceAll(kLine, {{"\"transport\"", absl::StrCat(json, ",\"transport\"")}}));
    return seen.ok() ? absl::StrJoin((*seen)->names, " ") : std::string(seen.status().message());
  };
  EXPECT_EQ(names(R"("names":["a.example","b.example"])"), "a.example b.example");
  EXPECT_EQ(names(R"("names":[])"), "");
  for (const char* bad : {R"("names":"a.example")", R"("names":[3])", R"("names":["a b"])",
                          R"("names":["*.example"])", R"("names":["10.0.0.1"])"}) {
    EXPECT_EQ(names(bad), "has no 'names' as the broker writes it") << bad;
  }
}

TEST(SeenDecision, LeavesOtherEventsAlone) {
  EXPECT_EQ(SaidWith("decision", "completion"), "about something else");
  EXPECT_EQ(Said("{}"), "about something else");
  EXPECT_EQ(SaidWith("deny-rule", "role-removed"), "about something else");
  EXPECT_EQ(SaidWith("deny-rule", "not-confined"), "about something else");
  EXPECT_EQ(Said(R"({"event":3})"), "about something else");
}

TEST(SeenDecision, SaysWhatIsWrongWithALine) {
  EXPECT_EQ(Said(""), "is no JSON object");
  EXPECT_EQ(Said("[]"), "is no JSON object");
  EXPECT_EQ(SaidWith("crawler", "\xff"), "is no JSON object");
  EXPECT_EQ(SaidWith("\"crawler\"", "7"), "has no 'role' as the broker writes it");
  EXPECT_EQ(SaidWith("192.0.2.1:443", "192.0.2.1"), "has no 'target' as the broker writes it");
  EXPECT_EQ(SaidWith("stream", "sctp"), "has no 'transport' as the broker writes it");
  EXPECT_EQ(SaidWith("would-deny", "maybe"), "has no 'verdict' as the broker writes it");
}

TEST(SeenDecision, NoCutOffOrSpoiltLineIsADisaster) {
  const std::string line = kLine;
  for (size_t i = 0; i < line.size(); ++i) {
    EXPECT_EQ(Said(line.substr(0, i)), "is no JSON object");
    for (int bit = 0; bit < 8; ++bit) {
      std::string spoilt = line;
      spoilt[i] = static_cast<char>(spoilt[i] ^ (1 << bit));
      EXPECT_NE(Said(spoilt), "");
    }
  }
  EXPECT_EQ(Said(std::string(60'000, '[')), "is no JSON object");
  EXPECT_EQ(Said(std::string(30'000, '[') + std::string(30'000, ']')), "is no JSON object");
}

TEST(AuditTarget, IsReadAsItWasWritten) {
  for (const char* text : {"192.0.2.1:443", "0.0.0.0:0", "[2001:db8::1]:65535", "[::]:1",
                           "[fe80::1%2]:80", "unix:/run/x", "unix:@abstract", "unix:\\x40path",
                           "unix:\\x405", "unix:/a\\\"b\\\\\\n\\xff"}) {
    const auto target = ParseAuditTarget(text);
    ASSERT_TRUE(target.has_value()) << text;
    EXPECT_EQ(target->ToString(), text);
  }
}

TEST(AuditTarget, AnyNameOfAUnixSocketComesBack) {
  std::mt19937 random(1);
  for (int round = 0; round < 10'000; ++round) {
    std::string name(1 + random() % 108, '\0');
    for (char& c : name) c = static_cast<char>(random());
    const auto endpoint = Endpoint::Unix(name);
    if (!endpoint.has_value()) continue;
    ASSERT_EQ(ParseAuditTarget(endpoint->ToString()), endpoint);
  }
}

TEST(AuditTarget, IsNothingElse) {
  for (const char* text : {"",
                           ":",
                           "192.0.2.1",
                           "192.0.2.1:",
                           "192.0.2.1:65536",
                           "192.0.2.1:+1",
                           "192.0.2.1: 1",
                           "192.0.2.1:-1",
                           "[192.0.2.1]:1",
                           "2001:db8::1:443",
                           "[2001:db8::1:443",
                           "2001:db8::1]:443",
                           "[fe80::1%]:1",
                           "[fe80::1%x]:1",
                           "[::ffff:192.0.2.1]:1",
                           "www.example.com:443",
                           "unix:",
                           "unix:@",
                           "unix:/a\\",
                           "unix:/a\\x00"}) {
    EXPECT_FALSE(ParseAuditTarget(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace sockgate
