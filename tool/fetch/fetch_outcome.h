// FetchOutcome: what became of one URL, for a person, for a program and for the exit status.
//
// Process: the launcher. Pure.
// Hostile inputs: the result, which a worker made that may have been taken over, and all texts in
// it: they are fit for a terminal (terminal_text.h) and for JSON when they leave here.

#ifndef SOCKGATE_TOOL_FETCH_FETCH_OUTCOME_H_
#define SOCKGATE_TOOL_FETCH_FETCH_OUTCOME_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "client/pool/transfer.h"
#include "tool/fetch/fetch_policy.h"

namespace sockgate {

struct FetchOutcome {
  size_t number = 0;  // of the URL, from 1 on
  std::string url;
  std::string where;      // it stands, where that is what is wrong: "urls.txt:3"
  std::string proxy;      // empty: none
  std::string file;       // where the body is; empty: in no file
  unsigned retries = 0;   // that were made
  TransferResult result;  // of the last attempt
  absl::Status output;  // of writing the body; DataLoss: its worker ended, and it cannot begin anew

  // curl's exit status, or one of exit_status.h.
  int ExitStatus(const FetchPolicy& policy) const;
  // "http://a.example/: (7) Could not ..."; what was refused, by what, and what to do.
  std::string Message(const FetchPolicy& policy, int exit_status) const;
  // "* a.example at 192.0.2.1:443: allowed by rule 1 (--allow a.example:443)", for --verbose; empty
  // where the broker let nothing through.
  std::string Trace(const FetchPolicy& policy) const;
  // One line for --json, without its end.
  std::string Json(const FetchPolicy& policy, int exit_status) const;
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_FETCH_OUTCOME_H_
