// CageLevel: how much of the cage there must be around the broker's processes.
//
// Process: broker, keeper and their launcher. A value.

#ifndef SOCKGATE_CONFINE_CAGE_LEVEL_H_
#define SOCKGATE_CONFINE_CAGE_LEVEL_H_

#include <cstdint>

namespace sockgate::confine {

enum class CageLevel : uint8_t {
  kNone,             // nothing is given up
  kWithoutLandlock,  // all layers but Landlock, or the process does not go on
  kIfPossible,       // the same, and Landlock where the kernel has it
  kFull,             // all layers, or the process does not go on
};

// As --cage of `sockgate serve` and the audit log spell it.
constexpr const char* Word(CageLevel level) {
  switch (level) {
    case CageLevel::kNone:
      return "none";
    case CageLevel::kWithoutLandlock:
      return "without-landlock";
    case CageLevel::kIfPossible:
      return "if-possible";
    case CageLevel::kFull:
      break;
  }
  return "full";
}

}  // namespace sockgate::confine

#endif  // SOCKGATE_CONFINE_CAGE_LEVEL_H_
