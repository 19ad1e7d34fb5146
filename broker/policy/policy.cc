#include "broker/policy/policy.h"

#include <algorithm>
#include <utility>

#include "broker/policy/embedded_v4.h"

namespace sockgate {
namespace {

// What an explanation hears of; a decision alone has nobody to tell.
void Tell(Trace* trace, const Step& step) {
  if (trace != nullptr) trace->OnStep(step);
}

Step About(Step::Kind kind, const IpAddress* address, const SpecialRange* special = nullptr) {
  Step step = {kind};
  step.address = address;
  step.special = special;
  return step;
}

Step About(Step::Kind kind, absl::string_view text) {
  Step step = {kind};
  step.text = text;
  return step;
}

uint32_t FirstOf(uint32_t number, uint32_t otherwise) { return number != 0 ? number : otherwise; }

// Of the ports at which an address is denied, the verdict that says most is the one of the port
// where the most else was right.
int Nearness(const Verdict& verdict) {
  if (verdict.lets_through()) return 4;
  if (verdict.reason == Reason::kUnspecified || verdict.reason == Reason::kOwnAddress) return 3;
  if (verdict.reason == Reason::kSpecialPurpose) return 2;
  return verdict.reason == Reason::kEmbeddedAddress || verdict.rule != 0 ? 1 : 0;
}

// Whether the rule is about the address or one of its names, at whatever port.
bool IsAbout(const Rule& rule, const IpAddress* address, Names names) {
  if (const auto* cidr = std::get_if<Cidr>(&rule.target)) {
    return address != nullptr && cidr->Contains(*address);
  }
  if (const auto* pattern = std::get_if<HostPattern>(&rule.target)) {
    return std::any_of(names.begin(), names.end(),
                       [&](const HostName* name) { return pattern->Matches(*name); });
  }
  return std::holds_alternative<PublicHosts>(rule.target);
}

}  // namespace

Policy::Policy(std::vector<Rule> rules, PolicyMode mode, OwnPlaces own)
    : rules_(std::move(rules)),
      mode_(mode),
      addresses_(rules_, own.addresses, &places_),
      hosts_(rules_, &places_) {
  own_paths_.insert(own.paths.begin(), own.paths.end());
  std::vector<uint32_t> on_public;
  for (size_t i = 0; i < rules_.size(); ++i) {
    const Rule& rule = rules_[i];
    const auto number = static_cast<uint32_t>(i + 1);
    if (std::holds_alternative<PublicHosts>(rule.target)) on_public.push_back(number);
    if (const auto* unix_path = std::get_if<UnixPath>(&rule.target)) {
      PortRules& said = paths_[unix_path->path];
      uint32_t& place = rule.decision == Decision::kDeny ? said.denies : said.allows;
      place = FirstOf(place, number);
    }
  }
  public_ = places_.Add(rules_, on_public);
}

Policy Policy::Closed(Reason reason) {
  Policy policy;
  policy.default_reason_ = reason;
  return policy;
}

const HostName* Policy::FindNamed(uint32_t rule, Names names) const {
  if (rule == 0 || rule > rules_.size()) return nullptr;
  const auto* pattern = std::get_if<HostPattern>(&rules_[rule - 1].target);
  if (pattern == nullptr) return nullptr;
  const auto found = std::find_if(names.begin(), names.end(),
                                  [&](const HostName* name) { return pattern->Matches(*name); });
  return found == names.end() ? nullptr : *found;
}

Verdict Policy::Decide(const Endpoint& endpoint, Transport transport, Names names,
                       Trace* trace) const {
  const Verdict verdict = Judge(endpoint, transport, names, trace);
  if (verdict.lets_through() || !endpoint.is_ip() || transport != Transport::kStream) {
    return verdict;
  }
  return ReportOn(endpoint.ip(), verdict, trace);
}

Verdict Policy::Report(Verdict verdict, Trace* trace) const {
  if (mode_ == PolicyMode::kEnforce || verdict.lets_through()) return verdict;
  verdict.decision = Decision::kWouldDeny;
  Tell(trace, {Step::Kind::kReport});
  return verdict;
}

// Report mode does without the rules, not without the bounds that no rule could lift. It hands out
// no UNIX socket, since that would be opened with the broker's rights instead of the worker's, and
// no UDP, since such a socket can be aimed anew.
Verdict Policy::ReportOn(const IpAddress& address, const Verdict& verdict, Trace* trace) const {
  if (mode_ == PolicyMode::kEnforce || verdict.lets_through()) return verdict;
  const EmbeddedV4List within = FindEmbeddedV4(address);
  const bool closed = IsClosed(address) ||
                      std::any_of(within.begin(), within.end(),
                                  [this](const EmbeddedV4& one) { return IsClosed(one.address); });
  return closed ? verdict : Report(verdict, trace);
}

bool Policy::IsClosed(const IpAddress& address) const {
  if (address.is_unspecified()) return true;
  const AddressIndex::Range* range = addresses_.Narrowest(address);
  for (; range != nullptr; range = addresses_.Around(*range)) {
    if (range->own) return true;
  }
  return false;
}

Verdict Policy::Judge(const Endpoint& endpoint, Transport transport, Names names,
                      Trace* trace) const {
  if (!endpoint.is_ip()) return JudgePath(endpoint.unix_name(), transport, trace);
  const Verdict verdict =
      JudgeAddress(endpoint.ip(), Asking(endpoint.port(), transport, names, trace));
  if (transport == Transport::kStream || verdict.reason != Reason::kNoRuleMatches) return verdict;
  // Whoever may have TCP there learns what is missing.
  const Verdict tcp = Judge(endpoint, Transport::kStream, names, nullptr);
  return tcp.lets_through() ? Refuse(Reason::kTransport) : verdict;
}

// Whoever may not reach an IPv4 address may not reach it through a translator either.
Verdict Policy::JudgeAddress(const IpAddress& address, const Question& question) const {
  Tell(question.trace, About(Step::Kind::kAddress, &address));
  const Verdict verdict = JudgeByRules(&address, question);
  if (!verdict.lets_through()) return verdict;
  for (const EmbeddedV4& embedded : FindEmbeddedV4(address)) {
    Step step = About(Step::Kind::kEmbedded, &embedded.address);
    step.text = embedded.form;
    Tell(question.trace, step);
    const Verdict within = JudgeByRules(&embedded.address, question);
    if (within.lets_through()) continue;
    const bool plain = within.rule != 0 || within.reason == Reason::kOwnAddress;
    return plain ? within : Refuse(Reason::kEmbeddedAddress);
  }
  return verdict;
}

// From the narrowest range outwards. Every deny rule counts; of the allow rules only those within
// the narrowest special range, since whoever allows a wide range hardly means all that is in it.
Verdict Policy::JudgeByRules(const IpAddress* address, const Question& question) const {
  Trace* const trace = question.trace;
  if (address != nullptr && address->is_unspecified()) {
    Tell(trace, About(Step::Kind::kUnspecified, address));
    return Refuse(Reason::kUnspecified);
  }
  if (question.named.denies != 0) return Say(Decision::kDeny, question.named.denies, trace);

  const SpecialRange* special = nullptr;
  uint32_t allows = 0;
  uint32_t too_wide = 0;
  const AddressIndex::Range* range = address == nullptr ? nullptr : addresses_.Narrowest(*address);
  for (; range != nullptr; range = addresses_.Around(*range)) {
    if (range->own) {
      Tell(trace, About(Step::Kind::kOwn, address));
      return Refuse(Reason::kOwnAddress);
    }
    const PortRules said = places_.Find(range->place, question.port, question.transport);
    if (said.denies != 0) return Say(Decision::kDeny, said.denies, trace);
    uint32_t& place = special == nullptr ? allows : too_wide;
    place = FirstOf(place, said.allows);
    if (special == nullptr && range->special != 0) {
      special = range->special_range();
      Tell(trace, About(Step::Kind::kSpecial, address, special));
    }
  }
  const PortRules everywhere = places_.Find(public_, question.port, question.transport);
  if (special == nullptr) {
    if (everywhere.denies != 0) return Say(Decision::kDeny, everywhere.denies, trace);
    allows = FirstOf(allows, FirstOf(question.named.allows, everywhere.allows));
  } else {
    too_wide = FirstOf(too_wide, FirstOf(question.named.allows, everywhere.allows));
  }
  allows = FirstOf(allows, question.named.allows_private);
  if (allows != 0) return Say(Decision::kAllow, allows, trace);
  if (trace != nullptr) TraceNearMisses(address, special, question);
  return Refuse(too_wide != 0 ? Reason::kSpecialPurpose : default_reason_);
}

Verdict Policy::JudgePath(absl::string_view path, Transport transport, Trace* trace) const {
  Tell(trace, About(Step::Kind::kPath, path));
  if (own_paths_.contains(path)) {
    Tell(trace, About(Step::Kind::kOwn, path));
    return Refuse(Reason::kOwnAddress);
  }
  const auto found = paths_.find(path);
  const PortRules said = found == paths_.end() ? PortRules() : found->second;
  if (said.denies != 0) return Say(Decision::kDeny, said.denies, trace);
  if (transport != Transport::kStream) return Refuse(Reason::kTransport);
  if (said.allows != 0) return Say(Decision::kAllow, said.allows, trace);
  Tell(trace, {Step::Kind::kNoRule});
  return Refuse(default_reason_);
}

Verdict Policy::DecideName(const HostName& name, Trace* trace) const {
  Tell(trace, About(Step::Kind::kName, name.text()));
  uint32_t denies = 0;
  uint32_t allows = 0;
  hosts_.ForEach(name, [&](Place place) {
    denies = FirstOf(places_.DeniesAll(place), denies);
    allows = FirstOf(places_.AllowsAny(place), allows);
  });
  if (denies == 0) allows = FirstOf(allows, places_.AllowsAny(public_));
  if (denies != 0) return Report(Say(Decision::kDeny, denies, trace), trace);
  if (allows != 0) return Say(Decision::kAllow, allows, trace);
  Tell(trace, {Step::Kind::kNoRule});
  return Report(Refuse(default_reason_), trace);
}

template <typename Visit>
bool Policy::AnyStart(const IpAddress& address, Names names, Visit visit) const {
  bool done = false;
  const auto look = [&](Place place) { done = done || places_.AnyStart(place, visit); };
  const auto look_around = [&](const IpAddress& one) {
    const AddressIndex::Range* range = addresses_.Narrowest(one);
    for (; range != nullptr; range = addresses_.Around(*range)) look(range->place);
  };
  for (const HostName* name : names) hosts_.ForEach(*name, look);
  look(public_);
  look_around(address);
  for (const EmbeddedV4& embedded : FindEmbeddedV4(address)) look_around(embedded.address);
  return done;
}

// Between two starts nothing changes, so these are all the ports that need a look.
Verdict Policy::DecideAddress(const IpAddress& address, Names names, Trace* trace) const {
  uint16_t nearest_port = 1;
  Transport nearest_transport = Transport::kStream;
  Verdict nearest = JudgeAddress(address, Asking(1, Transport::kStream, names, nullptr));
  AnyStart(address, names, [&](uint16_t port) {
    for (const Transport transport : {Transport::kStream, Transport::kDatagram}) {
      const Verdict verdict = JudgeAddress(address, Asking(port, transport, names, nullptr));
      if (Nearness(verdict) <= Nearness(nearest)) continue;
      nearest = verdict;
      nearest_port = port;
      nearest_transport = transport;
    }
    return nearest.lets_through();
  });
  if (trace != nullptr) {
    JudgeAddress(address, Asking(nearest_port, nearest_transport, names, trace));
  }
  return ReportOn(address, nearest, trace);
}

Verdict Policy::ForeseeHost(const HostName& name, uint16_t port, Transport transport,
                            Trace* trace) const {
  const HostName* const names[] = {&name};
  const auto foresee = [&](Transport by, Trace* told) {
    return JudgeByRules(nullptr, Asking(port, by, names, told));
  };
  const Verdict verdict = foresee(transport, trace);
  if (transport == Transport::kStream) return Report(verdict, trace);
  const bool tcp = foresee(Transport::kStream, nullptr).lets_through();
  return !verdict.lets_through() && tcp ? Refuse(Reason::kTransport) : verdict;
}

Policy::Question Policy::Asking(uint16_t port, Transport transport, Names names,
                                Trace* trace) const {
  return {port, transport, names, RulesOnNames(names, port, transport), trace};
}

// Of each name what its most specific rules say; of several names what the first says.
PortRules Policy::RulesOnNames(Names names, uint16_t port, Transport transport) const {
  PortRules all;
  for (const HostName* name : names) {
    PortRules one;
    hosts_.ForEach(*name, [&](Place place) {
      const PortRules said = places_.Find(place, port, transport);
      one.denies = FirstOf(said.denies, one.denies);
      one.allows = FirstOf(said.allows, one.allows);
      one.allows_private = FirstOf(said.allows_private, one.allows_private);
    });
    all.denies = FirstOf(all.denies, one.denies);
    all.allows = FirstOf(all.allows, one.allows);
    all.allows_private = FirstOf(all.allows_private, one.allows_private);
  }
  return all;
}

Verdict Policy::Say(Decision decision, uint32_t number, Trace* trace) const {
  const Rule& rule = rules_[number - 1];
  const bool denies = decision == Decision::kDeny;
  Step step = {denies ? Step::Kind::kDenies : Step::Kind::kAllows};
  step.rule = &rule;
  step.number = number;
  Tell(trace, step);
  return {decision, number, rule.line, denies ? Reason::kDenyRule : Reason::kNone};
}

Verdict Policy::Refuse(Reason reason) const { return {Decision::kDeny, 0, 0, reason}; }

// The allow rules that come closest; only for an explanation, so all of them are looked through.
void Policy::TraceNearMisses(const IpAddress* address, const SpecialRange* special,
                             const Question& question) const {
  for (size_t i = 0; i < rules_.size(); ++i) {
    const Rule& rule = rules_[i];
    if (rule.decision == Decision::kDeny || !IsAbout(rule, address, question.names)) continue;
    const bool port =
        rule.ports.Contains(question.port) && rule.transports.Contains(question.transport);
    Step step = About(port ? Step::Kind::kTooWide : Step::Kind::kOtherPort, address, special);
    if (port && std::holds_alternative<HostPattern>(rule.target))
      step.kind = Step::Kind::kNotPrivate;
    step.rule = &rule;
    step.number = static_cast<uint32_t>(i + 1);
    Tell(question.trace, step);
  }
  Tell(question.trace, About(Step::Kind::kNoRule, address));
}

}  // namespace sockgate
