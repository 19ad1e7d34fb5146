// WatchedBroker: a broker that is asked again and again, as lines for a person.
//
// Process: the operator's command. Pure: it is told what was heard, and when. A broker that does not
// answer is said to be one, above what it said last; one that answers again may be another.

#ifndef SOCKGATE_TOOL_WATCHED_BROKER_H_
#define SOCKGATE_TOOL_WATCHED_BROKER_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tool/broker_reading.h"
#include "tool/status_rates.h"

namespace sockgate {

class WatchedBroker {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // `path` is that of its control socket.
  explicit WatchedBroker(std::string path) : path_(std::move(path)) {}

  void Answered(BrokerReading reading, TimePoint now);
  void Silent(std::string why);

  // Printable.
  std::vector<std::string> Lines(TimePoint now) const;

 private:
  const std::string path_;
  std::optional<BrokerReading> last_;
  TimePoint last_at_;
  StatusRates rates_;
  std::string silent_;  // why, or empty
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_WATCHED_BROKER_H_
