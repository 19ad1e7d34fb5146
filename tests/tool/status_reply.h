// StatusReply: what a broker of these tests answers to `status`.

#ifndef SOCKGATE_TESTS_TOOL_STATUS_REPLY_H_
#define SOCKGATE_TESTS_TOOL_STATUS_REPLY_H_

#include <nlohmann/json.hpp>

namespace sockgate::testing {

// With every field of broker/control/CONTROL.md.
inline nlohmann::json FullStatusReply() {
  return nlohmann::json::parse(R"({
    "policy": {"file": "/etc/sockgate/policy.toml", "generation": 3,
               "loaded_at": "2026-01-02T03:04:06Z", "last_error": null},
    "started_at": "2026-01-02T03:04:05Z", "uptime_s": 12, "threads": 2, "stopping": false,
    "process": {"descriptors": 40, "descriptor_limit": 524288, "memory_bytes": 5242880,
                "wakeups": 1234, "cpu_us": 123456},
    "audit": {"lines": 10, "lost": 1, "waiting_bytes": 2048, "full": false},
    "cage": {"level": "full", "in_force": "uid 0, seccomp"},
    "resolver": {"state": "ready", "questions": 5,
                 "cache": {"entries": 3, "hits": 12, "misses": 4}},
    "roles": [
      {"name": "fetch", "mode": "enforce", "rules": 7, "workers": 12, "channels": 24,
       "pending": 1, "unread": 2, "tracked": 3,
       "connects": {"asked": 12345, "allowed": 12340, "denied": 5, "would_deny": 0, "limited": 3,
                    "bad_request": 1, "connected": 100, "failed": 2},
       "lookups": {"asked": 50, "allowed": 49, "denied": 1, "would_deny": 0, "limited": 6,
                   "bad_request": 7, "resolved": 45, "failed": 4},
       "limits": {"too-many-pending": 3, "too-many-per-second": 6},
       "denials": [{"reason": "deny-rule", "rule": 3, "line": 12, "count": 4},
                   {"reason": "no-rule-matches", "rule": 0, "line": 0, "count": 2}],
       "violations": 8, "bytes_sent": 1536, "bytes_received": 3145728,
       "connect_us": {"count": 100, "sum": 123456,
                      "le": [[50, 0], [100, 50], [1000, 90], [1000000, 100]]}}],
    "listen": [{"path": "/run/sockgate/fetch", "role": "fetch", "mode": "0660"}]
  })");
}

// What a broker answered before it counted anything.
inline nlohmann::json OldStatusReply() {
  return nlohmann::json::parse(R"({
    "policy": {"file": "p.toml", "generation": 1, "loaded_at": "2026-01-02T03:04:05Z",
               "last_error": null},
    "roles": [{"name": "fetch", "mode": "enforce", "rules": 1, "workers": 2, "channels": 3}],
    "listen": [{"path": "/run/f", "role": "fetch", "mode": "0600"}]
  })");
}

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_TOOL_STATUS_REPLY_H_
