// WatchedBroker: a broker that is asked again and again, as lines for a person.
//
// Process: the operator's command. Pure: it is told what was heard, and when. A broker that does not
// answer is said to be one, and what it said last may follow; one that answers again may be another.

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

  // What is to be seen of a broker that does not answer: what it said last, too, or nothing else.
  enum class Silence { kLastAnswer, kAlone };

  // `path` is that of its control socket.
  WatchedBroker(std::string path, Silence silence) : path_(std::move(path)), silence_(silence) {}

  void Answered(BrokerReading reading, TimePoint now);
  void Silent(std::string why);

  // Printable.
  std::vector<std::string> Lines(TimePoint now) const;

 private:
  const std::string path_;
  const Silence silence_;
  std::optional<BrokerReading> last_;
  TimePoint last_at_;
  StatusRates rates_;
  std::string silent_;  // why, or empty
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_WATCHED_BROKER_H_
