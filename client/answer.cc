#include "client/answer.h"

#include <cerrno>

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;

// What went wrong with a lookup, in its own words.
ConnectError LookupError(const Result& result) {
  ConnectError error = ConnectError::FromResult(result);
  if (error.kind != Kind::kNetwork) return error;
  error.kind = error.error_number == EOPNOTSUPP ? Kind::kNoResolver : Kind::kLookup;
  return error;
}

}  // namespace

void TakeAnswer(Kind kind, const Reply& from, ConnectResult* result) {
  result->error = ConnectError::Local(kind);
  if (kind != Kind::kNone) return;
  const auto& reply = std::get<ConnectReply>(from.body);
  const Result& said = reply.result;
  result->error = ConnectError::FromResult(said);
  result->tracked = reply.tracked;
  result->started = said.outcome == Outcome::kStarted;
  result->rule = said.rule;
}

void TakeAnswer(Kind kind, const Reply& from, ResolveResult* result) {
  result->error = ConnectError::Local(kind);
  if (kind != Kind::kNone) return;
  const auto& reply = std::get<ResolveReply>(from.body);
  result->error = LookupError(reply.result);
  result->rule = reply.result.rule;
  if (!result->error.ok()) return;
  result->addresses.reserve(reply.v6_count + reply.v4_count);
  result->addresses.assign(reply.v6.begin(), reply.v6.begin() + reply.v6_count);
  result->addresses.insert(result->addresses.end(), reply.v4.begin(),
                           reply.v4.begin() + reply.v4_count);
  result->ttl_seconds = reply.ttl_seconds;
  result->canonical_name.assign(reply.canonical_name.data(), reply.canonical_name.size());
}

bool IsSaid(const ConnectError& error) {
  return error.ok() || error.kind == Kind::kDenied || error.kind == Kind::kLookup ||
         error.kind == Kind::kBadRequest;
}

}  // namespace sockgate
