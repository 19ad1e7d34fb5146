#include "broker/resolver/answers.h"

#include <algorithm>

namespace sockgate {
namespace {

// How long the addresses of one family hold where nothing is known of the other: a packet that was
// lost, or kept back, must not hide a family for hours.
constexpr uint32_t kHalfTtlSeconds = 5;

int Certainty(ResolverStatus status) {
  switch (status) {
    case ResolverStatus::kNoName:
      return 3;
    case ResolverStatus::kNoAddress:
      return 2;
    case ResolverStatus::kFailed:
      return 1;
    default:
      return 0;
  }
}

}  // namespace

ResolverAnswer AnswerFromHosts(const std::vector<IpAddress>& addresses) {
  ResolverAnswer answer;
  answer.status = ResolverStatus::kFound;
  answer.ttl_seconds = kHostsTtlSeconds;
  for (const IpAddress& address : addresses) AddAddress(address, &answer);
  return answer;
}

ResolverAnswer EmptyAnswer(ResolverStatus status) {
  ResolverAnswer answer;
  answer.status = status;
  return answer;
}

bool IsNegative(const ResolverAnswer& answer) {
  return answer.status == ResolverStatus::kNoName || answer.status == ResolverStatus::kNoAddress;
}

void AddAddress(const IpAddress& address, ResolverAnswer* answer) {
  auto& count = address.is_v4() ? answer->v4_count : answer->v6_count;
  auto& list = address.is_v4() ? answer->v4 : answer->v6;
  auto* const end = list.begin() + count;
  if (count < list.size() && std::find(list.begin(), end, address) == end) list[count++] = address;
}

ResolverAnswer Merge(const ResolverAnswer& one, const ResolverAnswer& other) {
  const bool found = one.status == ResolverStatus::kFound;
  if (found != (other.status == ResolverStatus::kFound)) {
    ResolverAnswer half = found ? one : other;
    if (!IsNegative(found ? other : one)) {
      half.ttl_seconds = std::min(half.ttl_seconds, kHalfTtlSeconds);
    }
    return half;
  }
  ResolverAnswer both = Certainty(other.status) < Certainty(one.status) ? other : one;
  both.ttl_seconds = std::min(one.ttl_seconds, other.ttl_seconds);
  for (size_t i = 0; i < other.v4_count; ++i) AddAddress(other.v4[i], &both);
  for (size_t i = 0; i < other.v6_count; ++i) AddAddress(other.v6[i], &both);
  return both;
}

}  // namespace sockgate
