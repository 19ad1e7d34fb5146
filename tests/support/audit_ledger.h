// AuditLedger: what an audit log says became of each request, and whether that is the whole story.
//
// By broker/AUDIT.md: each decision has one line, each that lets something through exactly one
// completion after it, and nothing is lost. Requests are told apart by channel and number, so that
// a log of millions of lines needs some ten bytes for each request.
// Threads: one. Nothing here ends the test: Fault() says what is wrong, and the caller asserts.

#ifndef SOCKGATE_TESTS_SUPPORT_AUDIT_LEDGER_H_
#define SOCKGATE_TESTS_SUPPORT_AUDIT_LEDGER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/strings/string_view.h"
#include "proto/messages.h"

namespace sockgate::testing {

class AuditLedger {
 public:
  struct Request {
    uint8_t decisions = 0;
    uint8_t completions = 0;
    uint8_t lookups = 0;
    uint8_t answers = 0;
    bool lets_through = false;  // the last verdict
    Outcome outcome{};          // of the completion or the answer; 0: there is none
    Reason reason{};            // of the same
    uint16_t error = 0;         // of the same

    bool is_connect() const { return decisions + completions > 0; }
    bool is_lookup() const { return lookups + answers > 0; }
    // What the worker was told, as far as the log has it.
    Outcome told() const { return outcome == Outcome{} ? Outcome::kDenied : outcome; }
  };

  // A text that is no line of the log counts as torn.
  void AddText(absl::string_view text);
  // Every line of a file; what follows the last '\n' is none.
  void AddFile(const std::string& path);
  void Add(const nlohmann::json& line);

  // The first thing that is wrong with a log whose broker has ended or is at rest; "": nothing is.
  std::string Fault() const;

  // Null when the log has nothing about it.
  const Request* Find(uint64_t channel, uint32_t request) const;

  // How many requests of this kind were told so.
  uint64_t Connects(Outcome outcome) const { return Count(connects_, outcome); }
  uint64_t Lookups(Outcome outcome) const { return Count(lookups_, outcome); }

  uint64_t lines() const { return lines_; }
  // Workers that came, channels that were opened and that have ended, policies that were loaded and
  // refused: "opened", "closed", "violation", "loaded", ...
  uint64_t Changes(const std::string& change) const;

 private:
  using Sums = std::map<Outcome, uint64_t>;

  Request& Of(const nlohmann::json& line);
  void Decide(const nlohmann::json& line, Request* request);
  void Complete(const nlohmann::json& line, Request* request);
  void Fail(const nlohmann::json& line, const char* what);
  static uint64_t Count(const Sums& sums, Outcome outcome);
  static std::string FaultOf(const Request& request);

  std::unordered_map<uint64_t, std::vector<Request>> channels_;
  Sums connects_;
  Sums lookups_;
  std::map<std::string, uint64_t> changes_;
  uint64_t lines_ = 0;
  std::string fault_;  // the first one that a line shows by itself
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_AUDIT_LEDGER_H_
