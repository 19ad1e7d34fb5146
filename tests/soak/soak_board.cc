#include "tests/soak/soak_board.h"

#include <sys/mman.h>

#include "proto/check.h"

namespace sockgate::soak {

Fate FateOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDenied:
      return Fate::kDenied;
    case Outcome::kLimited:
      return Fate::kLimited;
    case Outcome::kBadRequest:
      return Fate::kBadRequest;
    default:
      return Fate::kLetThrough;
  }
}

const char* Word(Fate fate) {
  static constexpr std::array<const char*, kFates> kWords = {"let through", "denied", "limited",
                                                             "bad request"};
  return kWords[static_cast<size_t>(fate)];
}

// The kernel's pages are zeros, which is what the counters begin with.
SoakBoard::SoakBoard(size_t slots) : count_(slots) {
  void* memory = mmap(nullptr, slots * sizeof(SoakSlot), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  SOCKGATE_CHECK(memory != MAP_FAILED);
  slots_ = static_cast<SoakSlot*>(memory);
}

SoakBoard::~SoakBoard() { munmap(slots_, count_ * sizeof(SoakSlot)); }

uint64_t SoakBoard::asked(Kind kind) const {
  uint64_t sum = 0;
  for (size_t i = 0; i < count_; ++i) sum += slots_[i].asked[static_cast<size_t>(kind)];
  return sum;
}

uint64_t SoakBoard::told(Kind kind, Fate fate) const {
  uint64_t sum = 0;
  for (size_t i = 0; i < count_; ++i) {
    sum += slots_[i].told[static_cast<size_t>(kind)][static_cast<size_t>(fate)];
  }
  return sum;
}

uint64_t SoakBoard::told(Kind kind) const {
  uint64_t sum = 0;
  for (size_t i = 0; i < kFates; ++i) sum += told(kind, static_cast<Fate>(i));
  return sum;
}

}  // namespace sockgate::soak
