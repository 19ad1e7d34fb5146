// RoleMetrics: what has come of the requests of one role's workers, in numbers.
//
// Process: broker. One for each role and event loop, counted in the loop's thread without any lock;
// Add() puts those of several loops together. A name keeps its numbers through reloads.
// Nothing that a worker does makes it grow: a denial has an entry for its reason and rule, of which
// a policy has so many.

#ifndef SOCKGATE_BROKER_ROLE_METRICS_H_
#define SOCKGATE_BROKER_ROLE_METRICS_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

#include "broker/policy/verdict.h"
#include "proto/messages.h"

namespace sockgate {

// Requests of one kind. Each that was asked is judged, or limited or bad; and each that the verdict
// let through has an outcome, in the end.
struct RequestCounts {
  uint64_t asked = 0;
  uint64_t allowed = 0;  // by the verdict, with those of report mode
  uint64_t denied = 0;
  uint64_t would_deny = 0;
  uint64_t done = 0;  // connected, or resolved
  uint64_t failed = 0;
  uint64_t limited = 0;
  uint64_t bad_request = 0;

  void Judged(const Verdict& verdict);
  void Ended(Outcome outcome);
  void Add(const RequestCounts& other);
};

// How long connects took, by the upper bounds of kBounds; the last count is of all beyond them.
struct ConnectTimes {
  static constexpr std::array<uint32_t, 19> kBounds = {
      20,        50,        100,       200,        500,       1'000,   2'000,
      5'000,     10'000,    20'000,    50'000,     100'000,   200'000, 500'000,
      1'000'000, 2'000'000, 5'000'000, 10'000'000, 30'000'000};

  std::array<uint64_t, kBounds.size() + 1> counts = {};
  uint64_t sum_us = 0;

  void Count(std::chrono::microseconds taken);
  void Add(const ConnectTimes& other);
};

class RoleMetrics {
 public:
  using ByReason = std::array<uint64_t, static_cast<size_t>(kLastReason) + 1>;
  // Rule (0: none) and reason; its line in the policy file, and how often.
  struct Denials {
    uint32_t line = 0;
    uint64_t count = 0;
  };
  using ByRule = std::map<std::pair<uint32_t, Reason>, Denials>;

  RequestCounts connects;
  RequestCounts lookups;
  ConnectTimes connect_times;
  ByReason limits = {};  // how often each stood in the way
  uint64_t violations = 0;
  // Of tracked connections that have ended.
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  // Since the policy in force was loaded.
  ByRule denials;

  void Judged(const Verdict& verdict, RequestCounts* requests);
  void Ended(const Result& result, RequestCounts* requests);
  void Carried(uint64_t sent, uint64_t received);
  void Add(const RoleMetrics& other);
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_ROLE_METRICS_H_
