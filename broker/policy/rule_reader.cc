#include "broker/policy/rule_reader.h"

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "broker/policy/cidr_fault.h"
#include "broker/policy/idna.h"
#include "broker/policy/toml_table.h"

namespace sockgate {
namespace {

constexpr absl::string_view kPortsAdvice = "write 443, \"8000-8100\", [80, 443] or \"*\"";
constexpr uint16_t kLastPort = 65535;
// Of one rule. Its ports are looked at again and again when a policy is loaded.
constexpr size_t kMostPorts = 4096;

// A message of the form "is wrong: write something", in its two halves.
void TargetFault(size_t at, absl::string_view text, absl::string_view fault,
                 absl::string_view otherwise, Findings* findings) {
  const size_t colon = fault.find(": write ");
  const bool advises = colon != absl::string_view::npos;
  findings->Error(at, absl::StrCat(Quoted(text), " ", fault.substr(0, colon)),
                  std::string(advises ? fault.substr(colon + 2) : otherwise));
}

class RuleReader {
 public:
  RuleReader(Decision decision, const TomlValue& value, Findings* findings,
             std::vector<PlacedRule>* rules)
      : decision_(decision),
        value_(value),
        findings_(findings),
        table_(*value.table(), decision == Decision::kAllow ? "an allow rule" : "a deny rule",
               findings),
        rules_(rules) {}

  void Read() {
    const TomlEntry* host = table_.Find("host");
    const TomlEntry* cidr = table_.Find("cidr");
    const TomlEntry* unix_path = table_.Find("unix");
    const TomlEntry* everywhere = table_.Find("public");
    const std::array<const TomlEntry*, 4> targets = {host, cidr, unix_path, everywhere};
    ports_ = table_.Find("ports");
    transport_ = table_.FindString("transport");
    private_ = table_.Find("private");
    table_.Finish();
    complete_ = HasOneTarget(targets) && complete_;
    complete_ = ReadPrivate(host != nullptr) && complete_;
    if (unix_path == nullptr) {
      complete_ = ReadPorts() && complete_;
      complete_ = ReadTransport() && complete_;
    }
    if (host != nullptr) ReadHosts(*host);
    if (cidr != nullptr) ReadCidrs(*cidr);
    if (unix_path != nullptr) ReadUnix(*unix_path);
    if (everywhere != nullptr) ReadPublic(*everywhere);
  }

 private:
  void Error(size_t at, std::string message, absl::string_view advice) {
    findings_->Error(at, std::move(message), std::string(advice));
  }

  bool HasOneTarget(const std::array<const TomlEntry*, 4>& targets) {
    std::vector<const TomlEntry*> named;
    for (const TomlEntry* target : targets) {
      if (target != nullptr) named.push_back(target);
    }
    if (named.empty()) {
      Error(value_.at, "the rule does not say what it is about",
            "write one of host, cidr, unix, public");
    } else if (named.size() > 1) {
      Error(named[1]->key_at,
            absl::StrCat("a rule is about one of ",
                         absl::StrJoin(named, " and ",
                                       [](std::string* out, const TomlEntry* entry) {
                                         out->append(entry->key);
                                       })),
            "write a rule for each");
    }
    return named.size() == 1;
  }

  bool ReadPrivate(bool host) {
    if (private_ == nullptr) return true;
    const bool* wanted = private_->value.boolean();
    if (wanted == nullptr) {
      WrongType("private", "a boolean", private_->value, "write private = true", findings_);
    } else if (decision_ == Decision::kDeny) {
      Error(private_->key_at, "'private' means nothing in a deny rule: it denies all addresses",
            "remove it");
    } else if (!host) {
      Error(private_->key_at, "'private' is for rules on hosts only",
            "remove it; a cidr rule within the private range opens it");
    } else {
      rule_.private_addresses = *wanted;
      return true;
    }
    return false;
  }

  bool ReadPorts() {
    if (ports_ == nullptr) {
      every_port_ = decision_ == Decision::kDeny;
      if (every_port_) return FinishPorts();
      Error(value_.at, "the rule does not say at which ports", "write ports = [80, 443]");
      return false;
    }
    const TomlValue::Array* array = ports_->value.array();
    if (array == nullptr) return ReadPortsOf(ports_->value) && FinishPorts();
    if (array->empty()) Error(ports_->value.at, "'ports' is empty", kPortsAdvice);
    bool good = !array->empty();
    for (const TomlValue& element : *array) good = ReadPortsOf(element) && good;
    return good && FinishPorts();
  }

  bool ReadPortsOf(const TomlValue& value) {
    if (value.string() != nullptr) return AddPorts(value, *value.string());
    if (value.integer() != nullptr) return AddPorts(value, absl::StrCat(*value.integer()));
    WrongType("ports", "an integer, a string or an array of them", value, kPortsAdvice, findings_);
    return false;
  }

  // Everything that Parse() takes may stand in a longer list too, but for the star.
  bool AddPorts(const TomlValue& value, absl::string_view text) {
    const auto ports = PortSet::Parse(text);
    if (ports.has_value()) {
      every_port_ = every_port_ || text == "*";
      absl::StrAppend(&ports_text_, ports_text_.empty() ? "" : ",", text);
      return true;
    }
    const bool number = value.integer() != nullptr;
    Error(value.at,
          absl::StrCat(number ? std::string(text) : Quoted(text),
                       number ? " is no port" : " is no list of ports"),
          number ? absl::StrCat("write 1 to ", kLastPort) : std::string(kPortsAdvice));
    return false;
  }

  bool FinishPorts() {
    rule_.ports = *PortSet::Parse(every_port_ ? "*" : ports_text_);
    if (rule_.ports.ranges().size() <= kMostPorts) return true;
    Error(ports_->value.at, absl::StrCat("'ports' has more than ", kMostPorts, " parts"),
          "write ranges, as in \"8000-8100\"");
    return false;
  }

  bool ReadTransport() {
    rule_.transports = decision_ == Decision::kAllow ? Transports::Tcp() : Transports::Both();
    if (transport_ == nullptr) return true;
    const std::string& word = *transport_->value.string();
    if (word == "tcp") {
      rule_.transports = Transports::Tcp();
    } else if (word == "udp") {
      rule_.transports = Transports::Udp();
    } else if (word == "any") {
      rule_.transports = Transports::Both();
    } else {
      Error(transport_->value.at, absl::StrCat(Quoted(word), " is no transport"),
            "write \"tcp\", \"udp\" or \"any\"");
      return false;
    }
    return true;
  }

  void ReadHosts(const TomlEntry& entry) {
    for (const TomlValue* value : StringOrStrings(entry, "\"www.example.com\"", findings_)) {
      const auto pattern = ParseInternationalPattern(*value->string());
      if (pattern.ok()) {
        Add(*pattern, *value);
      } else {
        TargetFault(value->at, *value->string(), pattern.status().message(),
                    "write a name (example.com), or all names below one (*.example.com)",
                    findings_);
      }
    }
  }

  void ReadCidrs(const TomlEntry& entry) {
    for (const TomlValue* value : StringOrStrings(entry, "\"192.0.2.0/24\"", findings_)) {
      if (const auto cidr = Cidr::Parse(*value->string())) {
        Add(*cidr, *value);
      } else {
        const CidrFault fault = FindCidrFault(*value->string());
        Error(value->at, absl::StrCat(Quoted(*value->string()), " ", fault.what), fault.advice);
      }
    }
  }

  void ReadUnix(const TomlEntry& entry) {
    for (const TomlEntry* useless : {ports_, transport_}) {
      if (useless == nullptr) continue;
      Error(useless->key_at, absl::StrCat("'", useless->key, "' means nothing for a UNIX socket"),
            "remove it");
    }
    for (const TomlValue* value : StringOrStrings(entry, "\"/run/app/socket\"", findings_)) {
      const std::string& path = *value->string();
      const absl::string_view fault = UnixPath::Fault(path);
      if (fault.empty()) {
        Add(UnixPath{path}, *value);
      } else {
        TargetFault(value->at, path, fault, "write the whole path, as in \"/run/app/socket\"",
                    findings_);
      }
    }
  }

  void ReadPublic(const TomlEntry& entry) {
    const bool* wanted = entry.value.boolean();
    if (wanted != nullptr && *wanted) return Add(PublicHosts(), entry.value);
    Error(entry.value.at, "'public' can only be true", "write public = true, or remove the rule");
  }

  void Add(Rule::Target target, const TomlValue& value) {
    if (!complete_) return;
    rule_.target = std::move(target);
    rule_.line = findings_->source().At(value.at).line;
    rules_->push_back({rule_, value.at});
  }

  const Decision decision_;
  const TomlValue& value_;
  Findings* const findings_;
  TomlTable table_;
  std::vector<PlacedRule>* const rules_;
  Rule rule_ = {decision_, PublicHosts(), {}};
  const TomlEntry* ports_ = nullptr;
  const TomlEntry* transport_ = nullptr;
  const TomlEntry* private_ = nullptr;
  std::string ports_text_;
  bool every_port_ = false;
  bool complete_ = true;  // no fault so far, so rules can be made
};

}  // namespace

void ReadRules(Decision decision, const TomlValue& value, Findings* findings,
               std::vector<PlacedRule>* rules) {
  if (value.table() == nullptr) {
    WrongType(decision == Decision::kAllow ? "allow" : "deny", "an array of tables", value,
              "write { host = \"example.com\", ports = [80, 443] }", findings);
    return;
  }
  RuleReader(decision, value, findings, rules).Read();
}

}  // namespace sockgate
