// Policy: what a role may reach. Default deny; a deny rule beats every allow rule; an address of
// special purpose needs a rule that names it.
//
// Process: broker, and the tools that read policies. Immutable once made; deciding is pure (no I/O,
// no clock, no allocation) and may be done from any thread. The rules are trusted, the question is
// hostile.

#ifndef SOCKGATE_BROKER_POLICY_POLICY_H_
#define SOCKGATE_BROKER_POLICY_POLICY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/types/span.h"
#include "broker/policy/address_index.h"
#include "broker/policy/cidr.h"
#include "broker/policy/host_index.h"
#include "broker/policy/host_name.h"
#include "broker/policy/place_book.h"
#include "broker/policy/port_table.h"
#include "broker/policy/rule.h"
#include "broker/policy/trace.h"
#include "broker/policy/verdict.h"
#include "proto/endpoint.h"
#include "proto/messages.h"

namespace sockgate {

enum class PolicyMode : uint8_t {
  kEnforce,
  kReport,  // lets TCP to what the rules deny through, and says would-deny
};

// What is denied whatever the rules say, in report mode too.
struct OwnPlaces {
  std::vector<Cidr> addresses;     // of the broker's host
  std::vector<std::string> paths;  // where the broker listens: a way to more channels
};

// Names that the broker itself resolved to the address in question.
using Names = absl::Span<const HostName* const>;

class Policy {
 public:
  // Denies everything.
  Policy() : Policy(std::vector<Rule>()) {}

  // The first rule has number 1.
  explicit Policy(std::vector<Rule> rules, PolicyMode mode = PolicyMode::kEnforce,
                  OwnPlaces own = {});

  // Denies everything for this reason.
  static Policy Closed(Reason reason);

  // May a socket be pointed there? A port of 0 is nowhere: ask about others only.
  Verdict Decide(const Endpoint& endpoint, Transport transport, Names names = {},
                 Trace* trace = nullptr) const;

  // May the name be looked up? Yes if there is a port at which a rule would let it be reached at
  // an address that suits.
  Verdict DecideName(const HostName& name, Trace* trace = nullptr) const;

  // May the address be reached under these names at some port, by TCP or UDP? If not, the verdict
  // is that of a port at which the least is missing. Exact: there is a port for which Decide() lets
  // through exactly when this does.
  Verdict DecideAddress(const IpAddress& address, Names names, Trace* trace = nullptr) const;

  // What Decide() will say of the name at this port if it leads to a public address that no rule
  // on addresses speaks of. Not for decisions, which want an address.
  Verdict ForeseeHost(const HostName& name, uint16_t port, Transport transport,
                      Trace* trace = nullptr) const;

  // Of the names the first one that the rule with this number is about. Null: none is, or there is
  // no such rule.
  const HostName* FindNamed(uint32_t rule, Names names) const;

  const std::vector<Rule>& rules() const { return rules_; }
  PolicyMode mode() const { return mode_; }

 private:
  // One question about one address; an address within it asks the same of itself.
  struct Question {
    uint16_t port;
    Transport transport;
    Names names;
    PortRules named;  // what the rules on the names say
    Trace* trace;
  };

  Question Asking(uint16_t port, Transport transport, Names names, Trace* trace) const;
  // Calls visit(port) for each port from which on some rule that may matter says something else,
  // until it returns true.
  template <typename Visit>
  bool AnyStart(const IpAddress& address, Names names, Visit visit) const;
  Verdict Judge(const Endpoint& endpoint, Transport transport, Names names, Trace* trace) const;
  Verdict JudgeAddress(const IpAddress& address, const Question& question) const;
  // Null: a public one that is in no range at all.
  Verdict JudgeByRules(const IpAddress* address, const Question& question) const;
  Verdict JudgePath(absl::string_view path, Transport transport, Trace* trace) const;
  PortRules RulesOnNames(Names names, uint16_t port, Transport transport) const;
  Verdict Say(Decision decision, uint32_t number, Trace* trace) const;
  Verdict Refuse(Reason reason) const;
  Verdict Report(Verdict verdict, Trace* trace) const;
  Verdict ReportOn(const IpAddress& address, const Verdict& verdict, Trace* trace) const;
  // 0.0.0.0, :: or an address of the broker's host: no rule opens it.
  bool IsClosed(const IpAddress& address) const;
  void TraceNearMisses(const IpAddress* address, const SpecialRange* special,
                       const Question& question) const;

  std::vector<Rule> rules_;
  PolicyMode mode_;
  Reason default_reason_ = Reason::kNoRuleMatches;
  PlaceBook places_;
  AddressIndex addresses_;
  HostIndex hosts_;
  Place public_;
  absl::flat_hash_map<std::string, PortRules> paths_;
  absl::flat_hash_set<std::string> own_paths_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_POLICY_H_
