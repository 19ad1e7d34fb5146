#include "tests/tool/exposition.h"

#include <cmath>
#include <regex>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace sockgate::testing {
namespace {

bool IsName(const std::string& text) {
  static const std::regex name("[a-zA-Z_:][a-zA-Z0-9_:]*");
  return std::regex_match(text, name);
}

// As Go's strconv.ParseFloat, for what we write.
bool IsNumber(const std::string& text, double* value) {
  static const std::regex number(R"([+-]?([0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?|Inf)|NaN)");
  return std::regex_match(text, number) && absl::SimpleAtod(text, value);
}

}  // namespace

Exposition::Exposition(const std::string& text) {
  if (!text.empty() && text.back() != '\n') Fault("the last line has no end");
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  lines.pop_back();
  for (const std::string& line : lines) ReadLine(line);
  EndFamily();
}

double Exposition::At(const std::string& sample) const {
  const auto found = samples_.find(sample);
  return found == samples_.end() ? std::nan("") : found->second;
}

void Exposition::ReadLine(const std::string& line) {
  line_ = line;
  if (line.empty()) {
    Fault("is empty");
  } else if (line[0] == '#') {
    ReadComment(line);
  } else {
    ReadSample(line);
  }
}

void Exposition::ReadComment(const std::string& line) {
  const std::vector<std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 3));
  if (words.size() != 4 || words[0] != "#" || !IsName(words[2])) return Fault("is no comment");
  const std::string& name = words[2];
  if (words[1] == "HELP") {
    EndFamily();
    if (!helped_.insert(name).second) Fault("HELP comes twice");
    return;
  }
  if (words[1] != "TYPE") return Fault("is neither HELP nor TYPE");
  if (helped_.count(name) == 0) Fault("TYPE comes without HELP");
  if (!types_.emplace(name, words[3]).second) Fault("TYPE comes twice");
  if (words[3] != "counter" && words[3] != "gauge" && words[3] != "histogram") Fault("bad type");
  if ((words[3] == "counter") != absl::EndsWith(name, "_total")) Fault("counters end in _total");
  for (const char* unit : {"_us", "_ms", "_milliseconds", "_kilobytes"}) {
    if (absl::StrContains(name, unit)) Fault("not in base units");
  }
  family_ = name;
}

void Exposition::ReadSample(const std::string& line) {
  size_t at = line.find_first_of("{ ");
  if (at == std::string::npos) return Fault("has no value");
  const std::string name = line.substr(0, at);
  Labels labels;
  if (!IsName(name)) Fault("bad name");
  if (line[at] == '{' && !ReadLabels(line, &at, &labels)) return Fault("bad labels");
  double value = 0;
  if (at >= line.size() || line[at] != ' ' || !IsNumber(line.substr(at + 1), &value)) {
    return Fault("bad value");
  }
  if (!samples_.emplace(line.substr(0, at), value).second) Fault("comes twice");
  CheckFamily(name, labels, value);
}

bool Exposition::ReadLabels(const std::string& line, size_t* at, Labels* labels) {
  static const std::regex label(R"rx(([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"([,}]))rx");
  std::smatch match;
  for (auto next = line.begin() + static_cast<std::ptrdiff_t>(*at) + 1;; next = match[0].second) {
    if (!std::regex_search(next, line.end(), match, label,
                           std::regex_constants::match_continuous)) {
      return false;
    }
    if (!labels->emplace(match[1], match[2]).second) return false;
    if (match[3] == "}") break;
  }
  *at = static_cast<size_t>(match[0].second - line.begin());
  return true;
}

void Exposition::CheckFamily(const std::string& name, const Labels& labels, double value) {
  const auto type = types_.find(family_);
  if (type == types_.end() || ended_.count(family_) != 0) return Fault("is not with its TYPE");
  if (type->second == "counter" && !(value >= 0)) Fault("a counter below zero");
  if (type->second != "histogram") {
    if (name != family_) Fault("is of another metric");
    return;
  }
  if (name == family_ + "_bucket") {
    CheckBucket(labels, value);
  } else if (name == family_ + "_count") {
    const Histogram& histogram = histograms_[labels];
    if (!histogram.whole || histogram.count != value) Fault("is not what bucket +Inf has");
  } else if (name != family_ + "_sum") {
    Fault("is of another metric");
  }
}

void Exposition::CheckBucket(const Labels& labels, double value) {
  Labels others = labels;
  others.erase("le");
  double bound = 0;
  if (labels.count("le") == 0 || !IsNumber(labels.at("le"), &bound)) return Fault("bad le");
  Histogram& histogram = histograms_[others];
  if (bound <= histogram.bound || value < histogram.count) Fault("buckets do not rise");
  histogram = {bound, value, std::isinf(bound)};
}

void Exposition::EndFamily() {
  if (family_.empty()) return;
  for (const auto& [labels, histogram] : histograms_) {
    if (!histogram.whole) Fault("a histogram before this has no bucket +Inf");
  }
  histograms_.clear();
  ended_.insert(family_);
  family_.clear();
}

void Exposition::Fault(const std::string& why) {
  faults_.push_back(absl::StrCat("'", line_, "': ", why));
}

}  // namespace sockgate::testing
