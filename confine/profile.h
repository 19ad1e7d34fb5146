// Profile: which system calls a process may make, as plain data.
//
// Process: whoever confines; read before confinement and never afterwards.
// Ownership: values, free to copy and to edit before use.
// Threads: none of its business.
// Hostile inputs: none, profiles are part of the program. A wrong one is refused by
// SeccompFilter::Build, which names the rule.
//
// A profile is default-deny: what no rule allows gets `fallback`. The order of rules has no
// meaning, so a system call has either one rule without conditions, or any number of rules whose
// conditions exclude each other or whose actions agree. Whatever the profile says, calls of a
// foreign architecture (int 0x80, x32) kill the process.

#ifndef SOCKGATE_CONFINE_PROFILE_H_
#define SOCKGATE_CONFINE_PROFILE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace sockgate::confine {

// What the kernel does with a call: see "Return value" in seccomp(2).
struct Action {
  enum class Kind {
    kAllow,        // the call happens
    kErrno,        // the call does not happen; the caller sees `error`
    kKillProcess,  // the process dies by SIGSYS
    kLog,          // the call happens and is logged: to find what a profile lacks, not to confine
  };
  Kind kind = Kind::kKillProcess;
  int error = 0;  // 1..4095 with kErrno, 0 otherwise
};

constexpr bool operator==(const Action& a, const Action& b) {
  return a.kind == b.kind && a.error == b.error;
}

inline constexpr Action kAllow{Action::Kind::kAllow, 0};
inline constexpr Action kKillProcess{Action::Kind::kKillProcess, 0};
inline constexpr Action kLog{Action::Kind::kLog, 0};
constexpr Action Errno(int error) { return {Action::Kind::kErrno, error}; }

// Holds when (argument `index` & `mask`) == `value`. Pointers are compared as numbers: a filter
// cannot see what they point to.
struct ArgCondition {
  unsigned index = 0;  // 0..5; at most one condition for each argument in a rule
  uint64_t mask = 0;
  uint64_t value = 0;
};

// For arguments that the kernel declares `int` or `unsigned int`: it ignores the upper half of the
// register, so the condition does too.
constexpr ArgCondition IntIs(unsigned index, uint64_t value) { return {index, 0xffffffff, value}; }
// The same, without looking at the bits in `ignored`.
constexpr ArgCondition IntIsApartFrom(unsigned index, uint64_t ignored, uint64_t value) {
  return {index, 0xffffffff & ~ignored, value};
}
// For pointers and `unsigned long`.
constexpr ArgCondition WordIs(unsigned index, uint64_t value) {
  return {index, ~uint64_t{0}, value};
}
constexpr ArgCondition BitsClear(unsigned index, uint64_t bits) { return {index, bits, 0}; }

struct Rule {
  std::string syscall;  // the kernel's name, "recvmsg"
  Action action = kAllow;
  std::vector<ArgCondition> when = {};  // all must hold; empty: always
};

struct Profile {
  std::string name;  // for messages
  Action fallback = kKillProcess;
  std::vector<Rule> rules;
};

}  // namespace sockgate::confine

#endif  // SOCKGATE_CONFINE_PROFILE_H_
