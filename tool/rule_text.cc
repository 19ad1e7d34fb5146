#include "tool/rule_text.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "tool/toml_string.h"

namespace sockgate {
namespace {

// The loader wants lines of bounded length, and so do readers.
constexpr size_t kColumns = 100;
constexpr absl::string_view kRuleIndent = "  ";
constexpr absl::string_view kElementIndent = "    ";

// An element of an array, and what a comment at the end of its line says of it.
struct Element {
  std::string text;
  absl::string_view note;
};

std::string DateText(Date date) {
  return absl::StrCat(absl::Dec(date / 10000, absl::kZeroPad4), "-",
                      absl::Dec(date / 100 % 100, absl::kZeroPad2), "-",
                      absl::Dec(date % 100, absl::kZeroPad2));
}

std::string TimesText(uint64_t times) {
  return times == 1 ? "once" : absl::StrCat(times, " times");
}

// The first few of them: evidence is to be looked up in the log.
std::string SomeOf(const std::vector<std::string>& texts) {
  constexpr size_t kMostNamed = 3;
  const size_t named = std::min(texts.size(), kMostNamed);
  std::string some =
      absl::StrJoin(texts.begin(), texts.begin() + static_cast<ptrdiff_t>(named), ", ");
  if (texts.size() > named) absl::StrAppend(&some, " and ", texts.size() - named, " more");
  return some;
}

std::string DenialText(const Denial& denial, const std::vector<std::string>& targets) {
  std::string text = "'deny_own_addresses'";
  if (denial.rule != 0) text = absl::StrCat("Rule ", denial.rule);
  if (denial.line != 0) absl::StrAppend(&text, " at line ", denial.line);
  absl::StrAppend(&text, " of the policy then in force");
  if (denial.policy != 0) absl::StrAppend(&text, " (number ", denial.policy, ")");
  return absl::StrCat(text, " denied ", SomeOf(targets));
}

void Comment(absl::string_view text, std::string* out) {
  absl::StrAppend(out, kRuleIndent, "# ", text, ".\n");
}

std::string Comments(const LearnedRule& rule) {
  std::string text;
  if (rule.sightings.times != 0) Comment(SightingsText(rule.sightings), &text);
  if (!rule.inside.empty()) {
    Comment(absl::StrCat("Not seen, but inside IPv6 addresses that were, and judged too: ",
                         SomeOf(rule.inside)),
            &text);
  }
  for (const auto& [denial, targets] : rule.denied) Comment(DenialText(denial, targets), &text);
  return text;
}

std::vector<Element> Targets(const LearnedRule& rule) {
  std::vector<Element> elements;
  for (const std::string& host : rule.hosts) {
    elements.push_back({absl::StrCat("\"", host, "\""), ""});
  }
  for (const LearnedRange& one : rule.ranges) {
    const bool single = one.range.prefix() == one.range.base().bits();
    const std::string text = single ? one.range.base().ToString() : one.range.ToString();
    elements.push_back({absl::StrCat("\"", text, "\""),
                        one.special == nullptr ? absl::string_view() : one.special->name});
  }
  for (const std::string& path : rule.paths) elements.push_back({*TomlString(path), ""});
  return elements;
}

std::vector<Element> Ports(const LearnedRule& rule) {
  std::vector<Element> elements;
  for (const PortSet::Range& range : rule.ports) {
    const bool all = range.first == 1 && range.last == UINT16_MAX;
    if (all) {
      elements.push_back({"\"*\"", ""});
    } else if (range.first == range.last) {
      elements.push_back({absl::StrCat(range.first), ""});
    } else {
      elements.push_back({absl::StrCat("\"", range.first, "-", range.last, "\""), ""});
    }
  }
  return elements;
}

// The value in one line.
std::string Inline(const std::vector<Element>& elements) {
  if (elements.size() == 1) return elements.front().text;
  const auto text = [](std::string* out, const Element& element) { out->append(element.text); };
  return absl::StrCat("[", absl::StrJoin(elements, ", ", text), "]");
}

std::string Note(absl::string_view note) { return note.empty() ? "" : absl::StrCat("  # ", note); }

// An array over several lines, each as full as it may be and with elements of the same note only.
std::string Filled(const std::vector<Element>& elements) {
  std::string text = "[\n";
  for (size_t i = 0; i < elements.size();) {
    const absl::string_view note = elements[i].note;
    std::string line = absl::StrCat(kElementIndent, elements[i].text, ",");
    const auto fits = [&](const Element& next) {
      return next.note == note &&
             line.size() + next.text.size() + Note(note).size() + 2 <= kColumns;
    };
    for (++i; i < elements.size() && fits(elements[i]); ++i) {
      absl::StrAppend(&line, " ", elements[i].text, ",");
    }
    absl::StrAppend(&text, line, Note(note), "\n");
  }
  return absl::StrCat(text, kRuleIndent, "]");
}

bool HaveOneNote(const std::vector<Element>& elements) {
  return std::all_of(elements.begin(), elements.end(),
                     [&](const Element& element) { return element.note == elements.front().note; });
}

absl::string_view TransportText(Transports transports) {
  if (!transports.Contains(Transport::kDatagram)) return "";
  return transports.Contains(Transport::kStream) ? ", transport = \"any\""
                                                 : ", transport = \"udp\"";
}

std::string Line(const LearnedRule& rule, absl::string_view targets, absl::string_view ports) {
  const absl::string_view key = !rule.hosts.empty() ? "host" : rule.paths.empty() ? "cidr" : "unix";
  return absl::StrCat(kRuleIndent, "{ ", key, " = ", targets,
                      ports.empty() ? "" : ", ports = ", ports, TransportText(rule.transports),
                      " },");
}

}  // namespace

std::string SightingsText(const Sightings& sightings) {
  std::string text = absl::StrCat("Seen ", TimesText(sightings.times));
  if (sightings.first == 0) return text;
  const bool one_day = sightings.first == sightings.last;
  absl::StrAppend(&text, one_day ? ", on " : ", ", DateText(sightings.first));
  if (!one_day) absl::StrAppend(&text, " to ", DateText(sightings.last));
  return text;
}

std::string RuleText(const LearnedRule& rule) {
  const std::vector<Element> targets = Targets(rule);
  const std::vector<Element> ports = Ports(rule);
  const bool one_note = HaveOneNote(targets);
  const std::string targets_text = Inline(targets);
  const std::string note = Note(targets.front().note);
  std::string ports_text = ports.empty() ? "" : Inline(ports);
  const std::string line = absl::StrCat(Line(rule, targets_text, ports_text), note);
  if (line.size() <= kColumns && one_note) return absl::StrCat(Comments(rule), line, "\n");

  constexpr size_t kShort = kColumns * 2 / 5;
  const bool short_targets = one_note && !ports.empty() && targets_text.size() <= kShort;
  if (short_targets) {
    return absl::StrCat(Comments(rule), Line(rule, targets_text, Filled(ports)), note, "\n");
  }
  if (ports_text.size() > kShort) ports_text = Filled(ports);
  return absl::StrCat(Comments(rule), Line(rule, Filled(targets), ports_text), "\n");
}

std::string UnreachableText(const std::vector<Unreachable>& all) {
  constexpr size_t kMostNamed = 20;
  if (all.empty()) return "";
  std::string text = "# Seen, but no rule can allow it:\n";
  const size_t named = std::min(all.size(), kMostNamed);
  for (const Unreachable& one : absl::MakeConstSpan(all).first(named)) {
    absl::StrAppend(&text, "#   ", one.target, " (", TimesText(one.sightings.times), ") ",
                    one.fault, "\n");
  }
  if (all.size() > named) absl::StrAppend(&text, "#   and ", all.size() - named, " more\n");
  return text;
}

}  // namespace sockgate
