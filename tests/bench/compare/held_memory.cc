#include "tests/bench/compare/held_memory.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/bench/compare/target_server.h"

namespace sockgate::bench {
namespace {

constexpr uint32_t kLimitMs = 25'000;  // below kAnswerSeconds
constexpr std::chrono::milliseconds kPause{100};
constexpr int kLooks = 80;

// A chain of processes is still being made when the client has its connection.
HelperMemory SettledMemory(const Contender& way) {
  HelperMemory before;
  for (int i = 0; i < kLooks; ++i) {
    const HelperMemory now = way.Memory();
    const size_t change = std::max(now.all, before.all) - std::min(now.all, before.all);
    if (i > 0 && change <= now.all / 200) return now;
    before = now;
    std::this_thread::sleep_for(kPause);
  }
  return before;
}

FetchOrder Order(FetchDeed deed, size_t count) {
  FetchOrder order;
  order.count = static_cast<uint32_t>(count);
  order.url = TargetServer::UrlOf(Page::kSmall, 0);
  order.deed = deed;
  order.limit_ms = kLimitMs;
  return order;
}

void MeasureWay(const Contender& way, const std::vector<size_t>& connections, CompareRow* row) {
  size_t open = 0;
  for (const size_t wanted : connections) {
    const auto answer = way.side->Ask(Order(FetchDeed::kHold, wanted - open));
    if (!answer.ok() || answer->failures != 0 || answer->begun < wanted - open) {
      const size_t reached = open + (answer.ok() ? answer->begun - answer->failures : 0);
      row->remark = absl::StrCat("no more than ", reached, " open connections");
      break;
    }
    open = wanted;
    row->memory.push_back(SettledMemory(way));
  }
  // One that does not answer has failed already.
  if (!way.side->Ask(Order(FetchDeed::kRelease, 0)).ok()) row->remark = "the client hangs";
}

}  // namespace

void MeasureHeldMemory(const std::vector<Contender>& contenders, CompareReport* report) {
  for (size_t i = 0; i < contenders.size(); ++i) {
    CompareRow& row = report->rows[i];
    if (contenders[i].helpers.empty() || !row.remark.empty()) continue;
    MeasureWay(contenders[i], report->connections, &row);
  }
}

}  // namespace sockgate::bench
