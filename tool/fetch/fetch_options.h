// FetchOptions: what the command line of `sockgate fetch` says. Plain values.
//
// Process: the launcher. Trusted input: the command line.

#ifndef SOCKGATE_TOOL_FETCH_FETCH_OPTIONS_H_
#define SOCKGATE_TOOL_FETCH_FETCH_OPTIONS_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "proto/messages.h"

namespace sockgate {

// One -o or -O. They are for the URLs of the command line in their order, whichever of the two.
struct OutputChoice {
  bool remote_name = false;  // -O
  std::string path;          // -o; "-": standard output
};

// One -d or the like; with others it is joined by '&'.
struct BodyPart {
  enum class Kind {
    kText,    // --data-raw: as it stands
    kData,    // -d: "@FILE" is the file without its line ends
    kBinary,  // --data-binary: "@FILE" is the file as it is
  };
  Kind kind = Kind::kText;
  std::string text;
};

struct FetchOptions {
  // In seconds, of the limits that hold while a transfer is not connected yet, the shorter.
  double ConnectLimit() const {
    return max_time_s > 0 ? std::min(max_time_s, connect_timeout_s) : connect_timeout_s;
  }

  std::vector<std::string> urls;
  std::string input_file;  // more URLs, one a line; "-": standard input; empty: none
  uint32_t jobs = 1;
  uint32_t workers = 1;

  // What workers may reach: by the rules of the command line, or by a role of a policy file.
  std::vector<std::string> allow;
  std::vector<std::string> allow_private;
  std::vector<std::string> deny;
  std::string policy_file;
  std::string role;
  std::vector<std::string> dns_servers;  // ADDRESS or ADDRESS:PORT; empty: those of the system
  std::string proxy;                     // empty: none, whatever the environment says
  ConnectMode mode = ConnectMode::kInProgress;

  // The request.
  std::string method;  // empty: as the body has it
  std::vector<std::string> headers;
  std::vector<BodyPart> data;
  bool compressed = false;
  bool insecure = false;
  std::string ca_file;  // empty: the system's
  bool follow = false;
  int64_t max_redirects = 20;  // -1: any number

  // When it ends.
  bool fail = false;
  double connect_timeout_s = 60;
  double max_time_s = 0;      // 0: none
  uint64_t max_filesize = 0;  // 0: any
  uint32_t retries = 0;
  double retry_delay_s = 0;     // 0: longer each time
  double retry_max_time_s = 0;  // 0: none

  // Where bodies and reports go.
  std::vector<OutputChoice> outputs;
  bool remote_name_all = false;
  std::string output_dir;
  bool no_clobber = false;
  bool json = false;
  bool silent = false;      // neither progress nor errors
  bool show_error = false;  // errors all the same
  bool verbose = false;
  std::string audit_file;  // empty: no audit log
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_FETCH_OPTIONS_H_
