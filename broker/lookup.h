// Lookup: one request to resolve a name, on its way.
//
// Process: broker, the loop's thread. A value.

#ifndef SOCKGATE_BROKER_LOOKUP_H_
#define SOCKGATE_BROKER_LOOKUP_H_

#include <array>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "broker/deadline_queue.h"
#include "broker/policy/host_name.h"
#include "broker/policy/verdict.h"
#include "broker/worker_record.h"
#include "proto/ip_address.h"
#include "proto/messages.h"

namespace sockgate {

struct Lookup {
  WorkerRecord* worker = nullptr;
  uint64_t channel = 0;
  uint32_t request_id = 0;
  NameFamily family = NameFamily::kAny;
  TimePoint begun;
  // As the worker wrote it. A view into its packet: once there is a name, nobody's business.
  absl::string_view asked;
  std::optional<HostName> name;
  std::optional<Verdict> verdict;  // on the name; absent until it is judged
  bool logged = false;             // the verdict has its audit line

  absl::string_view text() const { return name.has_value() ? name->text() : asked; }
};

// What came of it.
struct LookupEnd {
  enum class Source : uint8_t { kNone, kCache, kResolver };

  ResolveReply reply;
  Source source = Source::kNone;
  // Addresses, of both families, that the policy took out of the answer, and those that it would
  // have taken out but for report mode.
  uint32_t dropped = 0;
  uint32_t would_drop = 0;
  // The first of those that were taken out, for the log; the worker never learns them.
  std::array<IpAddress, 4> first_dropped;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_LOOKUP_H_
