// FetchBar: one line on a terminal that says how far all transfers are together, and at the end
// what they came to.
//
// Process: the launcher. Does not own the terminal's descriptor. Threads: one. Blocking: as the
// terminal does. Draws at most ten times a second; off, it draws nothing.
// Hostile input: the name of what is fetched, and sizes, which are what servers say.

#ifndef SOCKGATE_TOOL_FETCH_FETCH_BAR_H_
#define SOCKGATE_TOOL_FETCH_FETCH_BAR_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace sockgate {

struct FetchTotals {
  // 0 to 1; nothing where it cannot be told.
  std::optional<double> Fraction() const;

  size_t files = 0;
  size_t done = 0;  // the failed ones among them
  size_t failed = 0;
  size_t waiting = 0;  // for the time of their next attempt
  uint64_t bytes = 0;  // of bodies
  // Of those under way whose size is known: what has come, and what is to come of them in all.
  uint64_t known_now = 0;
  uint64_t known_size = 0;
  size_t known = 0;
  std::string name;  // of a single one
};

// "[=====>     ]  12/40 files  3.2 MiB  1.2 MiB/s  ETA 6s  1 failed", in so many columns at most.
// `beat` moves the bar of which nobody knows how long it is.
std::string BarText(const FetchTotals& totals, double bytes_per_second, unsigned beat,
                    size_t columns);

// "12 of 40 files, 3 failed, 3.2 MiB in 4s, 0.8 MiB/s"
std::string SummaryText(const FetchTotals& totals, double seconds);

class FetchBar {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kRedraw{100};

  FetchBar(int terminal, bool on);
  // Takes the line away.
  ~FetchBar() { Hide(); }
  FetchBar(const FetchBar&) = delete;
  FetchBar& operator=(const FetchBar&) = delete;

  bool on() const { return on_; }

  // Draws it if it is time.
  void Draw(const FetchTotals& totals);
  // Something else is to be written; the next Draw() has it there again.
  void Hide();
  // The last word, in its place.
  void Finish(const FetchTotals& totals, const std::string& before = "");

 private:
  // Over the last seconds.
  double Rate(Clock::time_point now, uint64_t bytes);

  const int terminal_;
  const bool on_;
  const Clock::time_point begun_ = Clock::now();
  Clock::time_point drawn_ = begun_;
  std::deque<std::pair<Clock::time_point, uint64_t>> seen_;
  unsigned beat_ = 0;
  bool visible_ = false;
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_FETCH_BAR_H_
