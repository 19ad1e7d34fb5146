#include "broker/policy/hidden_characters.h"

#include <gtest/gtest.h>

namespace sockgate {
namespace {

TEST(HiddenCharactersTest, KnowsTheFirstAndTheLastOfEachRange) {
  for (const char* text : {"\u0080", "\u0085", "\u009f", "\u061c", "\u200e", "\u200f", "\u2028",
                           "\u2029", "\u202a", "\u202e", "\u2066", "\u2069", "\ufeff"}) {
    EXPECT_TRUE(BeginsHidden(text)) << text;
    EXPECT_TRUE(HasHidden(std::string("x") + text + "y")) << text;
  }
}

TEST(HiddenCharactersTest, LeavesItsNeighboursAlone) {
  for (const char* text : {"", "a", "\x7f", "\u00a0", "\u061b", "\u061d", "\u200d", "\u2010",
                           "\u2027", "\u202f", "\u2065", "\u206a", "\ufefe", "\uff00",
                           "b\u00fccher.example", "\u4f8b\u3048.jp", "\U0001f4a9"}) {
    EXPECT_FALSE(BeginsHidden(text)) << text;
    EXPECT_FALSE(HasHidden(text)) << text;
  }
}

}  // namespace
}  // namespace sockgate
