#include "proto/messages.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

// The words of the enumerators from `first` to `last`; whatever lies beyond them has none.
template <typename E>
std::set<std::string> Words(int first, E last) {
  std::set<std::string> words;
  const int end = static_cast<int>(last) + 1;
  for (int i = first; i < end; ++i) words.insert(absl::StrCat(Word(static_cast<E>(i))));
  EXPECT_EQ(words.size(), static_cast<size_t>(end - first)) << "two enumerators share a word";
  EXPECT_EQ(words.count("?"), 0U);
  EXPECT_EQ(Word(static_cast<E>(end)), "?");
  EXPECT_EQ(Word(static_cast<E>(255)), "?");
  return words;
}

TEST(WordTest, EveryEnumeratorHasAWordOfItsOwn) {
  Words(1, Transport::kDatagram);
  Words(1, ConnectMode::kInProgress);
  Words(1, Purpose::kDirect);
  Words(1, NameFamily::kIpv6);
  Words(1, Outcome::kBadRequest);
  Words(0, kLastReason);
}

TEST(WordTest, WordsAreLowerCaseWithHyphens) {
  for (const auto& words : {Words(1, Outcome::kBadRequest), Words(0, kLastReason),
                            Words(1, ConnectMode::kInProgress)}) {
    for (const std::string& word : words) {
      EXPECT_EQ(word.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string::npos) << word;
    }
  }
}

TEST(WordTest, SaysWhatAuditLinesAreSearchedFor) {
  EXPECT_EQ(Word(Outcome::kDenied), "denied");
  EXPECT_EQ(Word(Reason::kDenyRule), "deny-rule");
  EXPECT_EQ(Word(ConnectMode::kInProgress), "in-progress");
}

TEST(CarriesDescriptorTest, OnlyWhatMakesASocketDoes) {
  EXPECT_TRUE(CarriesDescriptor(Outcome::kConnected));
  EXPECT_TRUE(CarriesDescriptor(Outcome::kStarted));
  EXPECT_TRUE(CarriesDescriptor(Outcome::kOpened));
  for (const Outcome outcome : {Outcome::kResolved, Outcome::kDenied, Outcome::kFailed,
                                Outcome::kLimited, Outcome::kBadRequest}) {
    EXPECT_FALSE(CarriesDescriptor(outcome)) << Word(outcome);
  }
}

}  // namespace
}  // namespace sockgate
