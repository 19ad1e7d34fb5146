#include "tests/bench/timed_batch.h"

#include <chrono>
#include <utility>

#include "proto/unique_fd.h"

namespace sockgate::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

}  // namespace

std::vector<double> TimeBatch(const ConnectWay& way, const AcceptSink& sink, const Target& target,
                              size_t count) {
  std::vector<double> us;
  std::vector<UniqueFd> sockets;
  us.reserve(count);
  sockets.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    if (way.prepare) way.prepare(target);
    const auto begun = Clock::now();
    UniqueFd socket = way.connect(target);
    const auto ended = Clock::now();
    if (!socket.valid()) return {};
    us.push_back(Microseconds(ended - begun).count());
    sockets.push_back(std::move(socket));
  }
  for (UniqueFd& socket : sockets) CloseAtOnce(std::move(socket));
  sink.Drain();
  return us;
}

}  // namespace sockgate::bench
