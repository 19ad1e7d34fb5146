// A ConnectError for C.
//
// Process: worker. Threads: any, does not block.

#ifndef SOCKGATE_LIBRARY_CONNECT_FAILURE_H_
#define SOCKGATE_LIBRARY_CONNECT_FAILURE_H_

#include "absl/strings/string_view.h"
#include "client/connect_error.h"
#include "library/sockgate.h"

namespace sockgate::c {

// `text` instead of the error's own, if it is not empty. Returns the code.
int Fail(sockgate_error* error, const ConnectError& from, absl::string_view text = "");

}  // namespace sockgate::c

#endif  // SOCKGATE_LIBRARY_CONNECT_FAILURE_H_
