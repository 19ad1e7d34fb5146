#include "broker/resolver/answer_reader.h"

#include <arpa/nameser.h>
#include <resolv.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "broker/resolver/answers.h"

namespace sockgate {
namespace {

// Behind the two names of an SOA record: serial, refresh, retry, expire, minimum.
constexpr int kSoaNumbersBytes = 5 * NS_INT32SZ;

// The upper bit set counts as zero: RFC 2181, section 8.
uint32_t Ttl(uint32_t ttl) { return ttl > std::numeric_limits<int32_t>::max() ? 0 : ttl; }

// Whether `name` is `zone` or below it. libresolv writes a dot within a label as "\."; a name with
// one there is taken for none of the zone's.
bool IsWithin(absl::string_view name, absl::string_view zone) {
  if (zone == "." || absl::EqualsIgnoreCase(name, zone)) return true;
  if (name.size() < zone.size() + 2 || !absl::EndsWithIgnoreCase(name, zone)) return false;
  const absl::string_view above = name.substr(0, name.size() - zone.size());
  return above.back() == '.' && above[above.size() - 2] != '\\';
}

// What the broker's codec would refuse is left out: the name only informs.
std::string Presentable(const std::string& name) {
  const auto printable = [](char c) { return c > ' ' && c <= '~'; };
  const bool fits = name.size() <= kMaxNameBytes;
  return fits && std::all_of(name.begin(), name.end(), printable) ? name : std::string();
}

// One message. The records are visited in their order, each once.
class Reader {
 public:
  // False for what is no answer.
  bool Read(absl::Span<const uint8_t> bytes) {
    if (bytes.size() > NS_MAXMSG) return false;
    if (ns_initparse(bytes.data(), static_cast<int>(bytes.size()), &message_) != 0) return false;
    return ns_msg_getflag(message_, ns_f_qr) == 1 && ReadQuestion() &&
           ForEach(ns_s_an, &Reader::OnAnswer) && ForEach(ns_s_ns, &Reader::OnAuthority);
  }

  ResolverAnswer Verdict() {
    const int rcode = ns_msg_getflag(message_, ns_f_rcode);
    if (rcode == ns_r_nxdomain) return Negative(ResolverStatus::kNoName);
    if (rcode != ns_r_noerror) return EmptyAnswer(ResolverStatus::kFailed);
    if (found_.v4_count + found_.v6_count > 0) return Found();
    const bool referral = has_ns_ && !negative_ttl_.has_value();
    return referral ? EmptyAnswer(ResolverStatus::kTryAgain) : Negative(ResolverStatus::kNoAddress);
  }

 private:
  bool ReadQuestion() {
    ns_rr question;
    if (ns_msg_count(message_, ns_s_qd) != 1) return false;
    if (ns_parserr(&message_, ns_s_qd, 0, &question) != 0) return false;
    owner_ = ns_rr_name(question);
    type_ = ns_rr_type(question);
    return ns_rr_class(question) == ns_c_in && (type_ == ns_t_a || type_ == ns_t_aaaa);
  }

  bool ForEach(ns_sect section, bool (Reader::*visit)(const ns_rr&)) {
    for (int i = 0; i < ns_msg_count(message_, section); ++i) {
      ns_rr record;
      if (ns_parserr(&message_, section, i, &record) != 0) return false;
      if (ns_rr_class(record) == ns_c_in && !(this->*visit)(record)) return false;
    }
    return true;
  }

  bool OnAnswer(const ns_rr& record) {
    if (!absl::EqualsIgnoreCase(ns_rr_name(record), owner_)) return true;
    if (ns_rr_type(record) == ns_t_cname) return FollowAlias(record);
    if (ns_rr_type(record) == type_) return TakeAddress(record);
    return true;
  }

  bool FollowAlias(const ns_rr& record) {
    char target[NS_MAXDNAME];
    const int size = dn_expand(ns_msg_base(message_), ns_msg_end(message_), ns_rr_rdata(record),
                               target, sizeof(target));
    if (size != ns_rr_rdlen(record)) return false;
    owner_ = target;
    is_alias_ = true;
    ttl_ = std::min(ttl_, Ttl(ns_rr_ttl(record)));
    return true;
  }

  bool TakeAddress(const ns_rr& record) {
    IpAddress address;
    if (type_ == ns_t_a) {
      IpAddress::V4Bytes bytes;
      if (ns_rr_rdlen(record) != bytes.size()) return false;
      std::memcpy(bytes.data(), ns_rr_rdata(record), bytes.size());
      address = IpAddress::V4(bytes);
    } else {
      IpAddress::V6Bytes bytes;
      if (ns_rr_rdlen(record) != bytes.size()) return false;
      std::memcpy(bytes.data(), ns_rr_rdata(record), bytes.size());
      address = IpAddress::V6(bytes);
      if (address.is_v4()) return true;
    }
    AddAddress(address, &found_);
    ttl_ = std::min(ttl_, Ttl(ns_rr_ttl(record)));
    return true;
  }

  bool OnAuthority(const ns_rr& record) {
    if (ns_rr_type(record) == ns_t_ns) has_ns_ = true;
    if (ns_rr_type(record) != ns_t_soa || !IsWithin(owner_, ns_rr_name(record))) return true;
    const unsigned char* at = ns_rr_rdata(record);
    const unsigned char* const end = at + ns_rr_rdlen(record);
    if (ns_name_skip(&at, end) != 0 || ns_name_skip(&at, end) != 0) return false;
    if (end - at != kSoaNumbersBytes) return false;
    const auto minimum = static_cast<uint32_t>(ns_get32(end - NS_INT32SZ));
    const uint32_t ttl = std::min(Ttl(ns_rr_ttl(record)), Ttl(minimum));
    negative_ttl_ = std::min(negative_ttl_.value_or(ttl), ttl);
    return true;
  }

  ResolverAnswer Found() {
    found_.status = ResolverStatus::kFound;
    found_.ttl_seconds = ttl_;
    if (is_alias_) found_.canonical_name = Presentable(owner_);
    return found_;
  }

  ResolverAnswer Negative(ResolverStatus status) const {
    ResolverAnswer answer = EmptyAnswer(status);
    answer.ttl_seconds = std::min(ttl_, negative_ttl_.value_or(0));
    return answer;
  }

  ns_msg message_;
  ns_type type_ = ns_t_invalid;
  std::string owner_;      // whose records count: what was asked, then where its aliases lead
  bool is_alias_ = false;  // what was asked
  uint32_t ttl_ = std::numeric_limits<int32_t>::max();  // of what was taken
  std::optional<uint32_t> negative_ttl_;                // of the authority section
  bool has_ns_ = false;
  ResolverAnswer found_;
};

}  // namespace

ResolverAnswer ReadAnswer(absl::Span<const uint8_t> message) {
  Reader reader;
  return reader.Read(message) ? reader.Verdict() : EmptyAnswer(ResolverStatus::kFailed);
}

}  // namespace sockgate
