// Ending: what holds at the end of every run, however it went.
//
// First all comes to rest: handshakes end, questions are answered, replies are read. Then:
//  - each channel has been ended for a cause, or every request on it has its one reply;
//  - a worker that is left may have exactly as much as its role's limits say, so none of its
//    counters has kept or lost anything;
//  - without workers, the broker holds no descriptor that it did not begin with;
//  - the log tells the whole story (audit_ledger.h), and the same one that the workers heard.
// Whatever does not hold ends the process.

#ifndef SOCKGATE_TESTS_FUZZ_SESSION_ENDING_H_
#define SOCKGATE_TESTS_FUZZ_SESSION_ENDING_H_

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/fuzz/session/crowd.h"
#include "tests/fuzz/session/session_world.h"
#include "tests/support/audit_ledger.h"

namespace sockgate::fuzz {

class Ending {
 public:
  // `descriptors` are the process's when the world was new.
  Ending(SessionWorld* world, Crowd* crowd, size_t descriptors)
      : world_(world), crowd_(crowd), descriptors_(descriptors) {}

  // False when the end is reached.
  bool Next();

 private:
  struct Stage;

  // Each says whether it is done; else it is called again.
  bool Settle();
  bool CheckReplies();
  bool ClearOrders();
  bool AskForNumbers();
  bool FillPending();
  bool CheckPending();
  bool FillOutstanding();
  bool CheckOutstanding();
  bool FillLookups();
  bool CheckLookups();
  bool FillChannels();
  bool CheckChannels();
  bool EndWorkers();
  bool CheckNothingLeft();
  bool CheckLog();

  size_t EndHandshakes();
  size_t AnswerQuestions();
  // The last replies that a probed channel had, in the order of its requests.
  std::vector<Result> Last(size_t count) const;
  void CheckChannel(const FuzzChannel& channel, uint64_t number,
                    const testing::AuditLedger& ledger) const;

  SessionWorld* const world_;
  Crowd* const crowd_;
  const size_t descriptors_;
  size_t stage_ = 0;
  size_t ended_lines_ = 0;
  int quiet_rounds_ = 0;
  FuzzChannel* probed_ = nullptr;
  std::unordered_map<std::string, const FuzzChannel*> by_target_;
};

}  // namespace sockgate::fuzz

#endif  // SOCKGATE_TESTS_FUZZ_SESSION_ENDING_H_
