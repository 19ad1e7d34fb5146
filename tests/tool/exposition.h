// Exposition: a text that Prometheus may scrape, or what is wrong with it.
//
// Process: the test. Strict where promtool is: HELP and TYPE once and before the samples, the
// samples of a metric together and none of them twice, names, labels and their escapes, numbers,
// counters that end in _total, base units, and histograms that rise to a bucket +Inf which is their
// count.
//
// https://prometheus.io/docs/instrumenting/exposition_formats/ (version 0.0.4)

#ifndef SOCKGATE_TESTS_TOOL_EXPOSITION_H_
#define SOCKGATE_TESTS_TOOL_EXPOSITION_H_

#include <map>
#include <set>
#include <string>
#include <vector>

namespace sockgate::testing {

class Exposition {
 public:
  explicit Exposition(const std::string& text);

  // Of the whole text, a line each.
  const std::vector<std::string>& faults() const { return faults_; }
  // The names of the metrics, and their types.
  const std::map<std::string, std::string>& types() const { return types_; }
  // A sample's number, by its name and labels as they are written: "x{a=\"b\"}". NaN: none.
  double At(const std::string& sample) const;

 private:
  using Labels = std::map<std::string, std::string>;

  void ReadLine(const std::string& line);
  void ReadComment(const std::string& line);
  void ReadSample(const std::string& line);
  // From the '{' at `at` on, to behind the '}'. False: it is none.
  bool ReadLabels(const std::string& line, size_t* at, Labels* labels);
  void CheckFamily(const std::string& name, const Labels& labels, double value);
  void CheckBucket(const Labels& labels, double value);
  void EndFamily();
  void Fault(const std::string& why);

  std::string line_;
  std::vector<std::string> faults_;
  std::map<std::string, std::string> types_;
  std::map<std::string, double> samples_;
  std::set<std::string> helped_;
  std::string family_;  // whose samples come
  std::set<std::string> ended_;
  // Of the histogram that comes, by its labels without `le`.
  struct Histogram {
    double bound = -1;
    double count = 0;
    bool whole = false;  // has its bucket +Inf
  };
  std::map<Labels, Histogram> histograms_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_TOOL_EXPOSITION_H_
