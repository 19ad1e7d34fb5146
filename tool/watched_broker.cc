#include "tool/watched_broker.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tool/human_number.h"
#include "tool/printable_text.h"
#include "tool/status_text.h"

namespace sockgate {
namespace {

double SecondsBetween(WatchedBroker::TimePoint from, WatchedBroker::TimePoint to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

void WatchedBroker::Answered(BrokerReading reading, TimePoint now) {
  rates_ = last_.has_value() ? RatesBetween(*last_, reading, SecondsBetween(last_at_, now))
                             : StatusRates();
  last_ = std::move(reading);
  last_at_ = now;
  silent_.clear();
}

void WatchedBroker::Silent(std::string why) { silent_ = std::move(why); }

std::vector<std::string> WatchedBroker::Lines(TimePoint now) const {
  std::vector<std::string> lines;
  if (!silent_.empty()) {
    lines.push_back(absl::StrCat("the broker at ", PrintableText(path_),
                                 " does not answer: ", PrintableText(silent_), "; trying again"));
    if (!last_.has_value() || silence_ == Silence::kAlone) return lines;
    const auto ago = static_cast<uint64_t>(SecondsBetween(last_at_, now));
    lines.push_back(absl::StrCat("what it said ", HumanSeconds(ago), " ago:"));
  }
  if (!last_.has_value()) return lines;
  for (std::string& line : LiveLines(*last_, rates_)) lines.push_back(std::move(line));
  return lines;
}

}  // namespace sockgate
