// TerminalSession: the real `sockgate` on a terminal of its own, as an operator has it.
//
// Process: the test; the command is its child, leads a session, and is killed with the object if it
// still runs. Every wait ends after ten seconds.

#ifndef SOCKGATE_TESTS_TOOL_TERMINAL_SESSION_H_
#define SOCKGATE_TESTS_TOOL_TERMINAL_SESSION_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "proto/unique_fd.h"

namespace sockgate::testing {

class TerminalSession {
 public:
  TerminalSession(const std::vector<std::string>& arguments, unsigned short rows,
                  unsigned short columns);
  ~TerminalSession();
  TerminalSession(const TerminalSession&) = delete;
  TerminalSession& operator=(const TerminalSession&) = delete;

  // Reads what is drawn until this is there, and returns what was drawn before it since the last
  // time, with it. Nothing: it did not come.
  std::optional<std::string> Await(const std::string& text);
  void Type(const std::string& keys) const;
  void Resize(unsigned short rows, unsigned short columns) const;
  void Signal(int number) const;
  void HangUp() { master_.Reset(); }
  // Until it has stopped, as at Ctrl-Z. False: it has not.
  bool AwaitStop();
  // Until it has ended: its exit status, or minus the signal.
  int AwaitEnd();
  // What was drawn and not returned yet, to the end.
  std::string Rest();
  bool echoes() const;

 private:
  // False: nothing came, or there is nobody left who could draw.
  bool ReadSome(int timeout_ms);

  UniqueFd master_;
  UniqueFd terminal_;  // the test's own, so that its settings can be looked at afterwards
  pid_t pid_ = -1;
  std::string drawn_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_TOOL_TERMINAL_SESSION_H_
