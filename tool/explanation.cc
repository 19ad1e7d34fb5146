#include "tool/explanation.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "broker/policy/localhost.h"
#include "broker/policy/trace.h"

namespace sockgate {
namespace {

std::string RuleText(const Step& step) {
  std::string text = absl::StrCat("rule ", step.number);
  if (step.rule->line != 0) absl::StrAppend(&text, " (line ", step.rule->line, ")");
  return absl::StrCat(text, ": ", step.rule->ToString());
}

std::string AddressOf(const Step& step) {
  return step.address == nullptr ? "an address" : step.address->ToString();
}

std::string RangeOf(const Step& step) {
  const SpecialRange& special = *step.special;
  return absl::StrCat(special.range.ToString(), " (", special.name, ", ", special.source, ")");
}

std::string Sentence(const Step& step) {
  switch (step.kind) {
    case Step::Kind::kAddress:
    case Step::Kind::kName:
    case Step::Kind::kPath:
      return {};  // the question says it
    case Step::Kind::kEmbedded:
      return absl::StrCat("it stands for ", AddressOf(step), " (", step.text,
                          "), which must be allowed too");
    case Step::Kind::kSpecial:
      return absl::StrCat(AddressOf(step), " is in ", RangeOf(step),
                          ": only a rule within that range allows it, or a private name");
    case Step::Kind::kUnspecified:
      return absl::StrCat(AddressOf(step), " means loopback to the kernel: no rule allows it");
    case Step::Kind::kOwn:
      return step.address != nullptr
                 ? absl::StrCat(AddressOf(step), " is an address of this host (deny_own_addresses)")
                 : "the broker itself listens there: no rule allows it";
    case Step::Kind::kDenies:
      return absl::StrCat("denied by ", RuleText(step));
    case Step::Kind::kAllows:
      return absl::StrCat("allowed by ", RuleText(step));
    case Step::Kind::kTooWide:
      return absl::StrCat("covers it, but does not name ", step.special->range.ToString(), ": ",
                          RuleText(step));
    case Step::Kind::kNotPrivate:
      return absl::StrCat("covers the name, but does not say private = true: ", RuleText(step));
    case Step::Kind::kOtherPort:
      return absl::StrCat("covers it, but not this port and transport: ", RuleText(step));
    case Step::Kind::kNoRule:
      return "no rule allows it, and the default is to deny";
    case Step::Kind::kReport:
      return "the role is in report mode: let through all the same, and recorded";
  }
  return {};
}

class Sentences final : public Trace {
 public:
  void OnStep(const Step& step) override {
    std::string sentence = Sentence(step);
    if (!sentence.empty()) list.push_back(std::move(sentence));
  }

  std::vector<std::string> list;
};

class Asker {
 public:
  Asker(const Policy& policy, Transport transport) : policy_(policy), transport_(transport) {}

  // The caller sets what is to be the whole's verdict.
  Explanation explanation;

  Verdict AskName(const HostName& name) {
    Sentences steps;
    const Verdict verdict = policy_.DecideName(name, &steps);
    return Note(absl::StrCat("may ", name.text(), " be looked up?"), std::move(steps), verdict);
  }

  Verdict AskEndpoint(const Endpoint& endpoint, const HostName* name) {
    Sentences steps;
    const Names names = name == nullptr ? Names() : Names(&name, 1);
    const Verdict verdict = policy_.Decide(endpoint, transport_, names, &steps);
    std::string about = absl::StrCat("may it connect to ", endpoint.ToString());
    if (name != nullptr) absl::StrAppend(&about, " as ", name->text());
    return Note(absl::StrCat(about, "?"), std::move(steps), verdict);
  }

  Verdict Foresee(const HostName& name, uint16_t port) {
    Sentences steps;
    const Verdict verdict = policy_.ForeseeHost(name, port, transport_, &steps);
    return Note(absl::StrCat("may it connect to port ", port, " of ", name.text(),
                             ", if that is a public address that no rule on addresses covers?"),
                std::move(steps), verdict);
  }

 private:
  Verdict Note(std::string about, Sentences steps, const Verdict& verdict) {
    explanation.questions.push_back({std::move(about), std::move(steps.list), verdict});
    return verdict;
  }

  const Policy& policy_;
  const Transport transport_;
};

// Of several addresses libcurl takes one that it gets.
Verdict AskAddresses(Asker& asker, const HostName& name, uint16_t port,
                     absl::Span<const IpAddress> addresses) {
  Verdict best = asker.AskEndpoint(Endpoint::Ip(addresses.front(), port), &name);
  for (const IpAddress& address : addresses.subspan(1)) {
    const Verdict verdict = asker.AskEndpoint(Endpoint::Ip(address, port), &name);
    if (!best.lets_through()) best = verdict;
  }
  return best;
}

}  // namespace

Explanation ExplainTarget(const Role& role, const Target& target, Transport transport,
                          absl::Span<const IpAddress> resolved_to) {
  Asker asker(role.policy, transport);
  Verdict verdict;
  if (const auto* path = std::get_if<UnixPath>(&target.place)) {
    verdict = asker.AskEndpoint(Endpoint::Unix(path->path).value(), nullptr);
  } else if (const auto* address = std::get_if<IpAddress>(&target.place)) {
    verdict = asker.AskEndpoint(Endpoint::Ip(*address, target.port), nullptr);
  } else {
    const auto& name = std::get<HostName>(target.place);
    if (resolved_to.empty() && name.is_localhost()) resolved_to = LocalhostAddresses();
    verdict = asker.AskName(name);
    if (verdict.lets_through()) {
      verdict = resolved_to.empty() ? asker.Foresee(name, target.port)
                                    : AskAddresses(asker, name, target.port, resolved_to);
    }
  }
  asker.explanation.verdict = verdict;
  return std::move(asker.explanation);
}

}  // namespace sockgate
