// ConnectAnswersInProgress: does a seccomp filter answer connect() for this thread?
//
// Process: worker or launcher. Threads: any; does not block, does not allocate, async-signal-safe.
// It asks the kernel directly, past any connect() that the program has interposed, with a
// descriptor that cannot exist: connect(-1, ...) is EINPROGRESS when a filter like FetcherProfile's
// stands in the way and EBADF when none does. No packet can leave, whatever the answer. errno is
// left as it was.
//
// Use it where CURL_SOCKOPT_OK is about to be answered for a socket that the broker connects:
// without that answer libcurl's own connect() would reach the kernel. Under a filter that kills on
// connect() the process dies here, as it would have in libcurl.

#ifndef SOCKGATE_CLIENT_LAUNCH_CONNECT_PROBE_H_
#define SOCKGATE_CLIENT_LAUNCH_CONNECT_PROBE_H_

namespace sockgate::launch {

bool ConnectAnswersInProgress();

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_CONNECT_PROBE_H_
