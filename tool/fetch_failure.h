// FetchFailure: what a transfer that failed is to the user: an exit status, and what to write so
// that it goes through.
//
// Process: worker. Pure.

#ifndef SOCKGATE_TOOL_FETCH_FAILURE_H_
#define SOCKGATE_TOOL_FETCH_FAILURE_H_

#include <curl/curl.h>

#include <string>

#include "absl/strings/string_view.h"
#include "client/connect_error.h"
#include "proto/endpoint.h"

namespace sockgate {

// Of a transfer that ended with `code`; `error` is why the broker's side gave no socket or no
// address.
int ExitStatus(CURLcode code, const ConnectError& error);

// What holds where the command line has no rule. The first rule takes its place, so advice says it,
// too.
inline constexpr char kDefaultAllow[] = "public:80,443";

// Where the rules of the policy are, and so what a person writes to change them.
enum class RulesIn { kDefault, kOptions, kPolicyFile };

// "; --allow example.com:443 lets it through"; empty where nothing would. `url` is what was to be
// reached, a hostile redirect's or the proxy's; `attempt` where the broker was asked to connect,
// null when there was no address to ask for. Of an address that stands for IPv4 ones, with those. Of a
// cloud's metadata service and of link-local addresses, what they are, and not how to open them. Of a
// limit, what makes it wider.
std::string Advice(const ConnectError& error, const std::string& url, const Endpoint* attempt,
                   RulesIn rules = RulesIn::kOptions);

// What to do about a failure that is none of the policy's, as "; --retry tries it again"; empty
// where there is nothing to say.
absl::string_view AdviceOn(int exit_status);

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_FETCH_FAILURE_H_
