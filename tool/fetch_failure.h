// FetchFailure: what a transfer that failed is to the user: an exit status, and what to write so
// that it goes through.
//
// Process: worker. Pure.

#ifndef SOCKGATE_TOOL_FETCH_FAILURE_H_
#define SOCKGATE_TOOL_FETCH_FAILURE_H_

#include <curl/curl.h>

#include <string>

#include "client/connect_error.h"
#include "proto/endpoint.h"

namespace sockgate {

// Of a transfer that ended with `code`; `error` is why the broker's side gave no socket or no
// address.
int ExitStatus(CURLcode code, const ConnectError& error);

// "; --allow example.com:443 lets it through"; empty where no option would. `url` is what was to be
// reached, a hostile redirect's or the proxy's; `attempt` where the broker was asked to connect,
// null when there was no address to ask for.
std::string Advice(const ConnectError& error, const std::string& url, const Endpoint* attempt);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_FAILURE_H_
