#include "tool/metric_family.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "tool/printable_text.h"

namespace sockgate {
namespace {

// Labels of ours have printable values; the file may be shown on a terminal.
std::string Escaped(const std::string& value) {
  return absl::StrReplaceAll(PrintableText(value), {{"\\", "\\\\"}, {"\"", "\\\""}});
}

std::string LabelsText(const MetricFamily::Labels& labels) {
  if (labels.empty()) return "";
  const auto append = [](std::string* out, const MetricFamily::Labels::value_type& label) {
    absl::StrAppend(out, label.first, "=\"", Escaped(label.second), "\"");
  };
  return absl::StrCat("{", absl::StrJoin(labels, ",", append), "}");
}

}  // namespace

std::string SecondsText(uint64_t microseconds) {
  constexpr uint64_t kPerSecond = 1'000'000;
  std::string text =
      absl::StrFormat("%d.%06d", microseconds / kPerSecond, microseconds % kPerSecond);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

MetricFamily::MetricFamily(std::string name, const std::string& type, const std::string& help)
    : name_(std::move(name)),
      text_(absl::StrCat("# HELP ", name_, " ", help, "\n# TYPE ", name_, " ", type, "\n")) {}

void MetricFamily::Add(const std::optional<uint64_t>& value, const Labels& labels) {
  if (value.has_value()) AddSample("", labels, absl::StrCat(*value));
}

void MetricFamily::AddFlag(const std::optional<bool>& value, const Labels& labels) {
  if (value.has_value()) AddSample("", labels, *value ? "1" : "0");
}

void MetricFamily::AddMicroseconds(const std::optional<uint64_t>& value, const Labels& labels) {
  if (value.has_value()) AddSample("", labels, SecondsText(*value));
}

void MetricFamily::AddHistogram(const std::optional<LatencyHistogram>& times,
                                const Labels& labels) {
  if (!times.has_value()) return;
  const auto bucket = [&](const std::string& bound, uint64_t count) {
    Labels with_bound = labels;
    with_bound.emplace_back("le", bound);
    AddSample("_bucket", with_bound, absl::StrCat(count));
  };
  for (const auto& up_to : times->buckets) bucket(SecondsText(up_to.bound_us), up_to.count);
  bucket("+Inf", times->count);
  AddSample("_sum", labels, SecondsText(times->sum_us));
  AddSample("_count", labels, absl::StrCat(times->count));
}

const std::string& MetricFamily::Text() const {
  static const std::string kNone;
  return empty_ ? kNone : text_;
}

void MetricFamily::AddSample(const char* suffix, const Labels& labels, const std::string& value) {
  empty_ = false;
  absl::StrAppend(&text_, name_, suffix, LabelsText(labels), " ", value, "\n");
}

}  // namespace sockgate
