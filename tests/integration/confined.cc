#include "tests/integration/confined.h"

#include <curl/curl.h>
#include <time.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/check.h"
#include "tests/integration/pipe_text.h"

namespace sockgate::testing {
namespace {

UniqueFd ChannelOf(BrokerProcess& broker, const std::string& role) {
  auto channel = broker.AddWorker(role);
  SOCKGATE_CHECK(channel.ok());
  return *std::move(channel);
}

}  // namespace

int PrepareWorker(int /*channel*/) {
  tzset();
  return curl_global_init(CURL_GLOBAL_DEFAULT);
}

std::string RunPiece(int channel, const ConfinedRun::Piece& piece) {
  auto client = BrokerClient::FromDescriptor(UniqueFd(channel));
  if (!client.ok()) return absl::StrCat("no client: ", client.status().ToString());
  return piece(**client);
}

BrokerProcess StartBroker(const std::vector<std::string>& allow, UniqueFd audit, Limits limits) {
  std::vector<Rule> rules;
  for (const std::string& text : allow) rules.push_back(*Rule::Parse(Decision::kAllow, text));
  Role role;
  role.name = "test";
  role.policy = Policy(std::move(rules));
  role.limits = limits;
  return StartBrokerWith(std::move(role), std::move(audit));
}

BrokerProcess StartBrokerWith(Role role, UniqueFd audit) {
  BrokerOptions options;
  options.roles.push_back(std::move(role));
  options.audit = std::move(audit);
  auto broker = BrokerProcess::Start(std::move(options));
  SOCKGATE_CHECK(broker.ok());
  return *std::move(broker);
}

ConfinedRun::ConfinedRun(BrokerProcess& broker, Piece piece, const std::string& role)
    : ConfinedRun(ChannelOf(broker, role), std::move(piece)) {}

ConfinedRun::ConfinedRun(UniqueFd channel, Piece piece) {
  Start(std::move(channel),
        [piece = std::move(piece)](int descriptor) { return RunPiece(descriptor, piece); });
}

ConfinedRun ConfinedRun::Raw(BrokerProcess& broker, RawPiece piece, const std::string& role) {
  ConfinedRun run;
  run.Start(ChannelOf(broker, role), piece);
  return run;
}

void ConfinedRun::Start(UniqueFd channel, const RawPiece& piece) {
  Pipe pipe;
  reader_ = std::move(pipe.reader);
  launch::WorkerOptions options;
  const int writer = pipe.writer.get();
  options.keep_descriptors.push_back(writer);
  worker_ = launch::Worker::Start(std::move(channel), options, PrepareWorker, [&](int fd) {
    WriteAll(writer, piece(fd));
    return 0;
  });
}

std::string ConfinedRun::Text() {
  if (!worker_.ok()) return worker_.status().ToString();
  std::string text = ReadAll(reader_.get());
  const auto status = worker_->Wait();
  if (!status.ok()) return status.status().ToString();
  if (status->signaled) return absl::StrCat(text, "[signal ", status->code_or_signal, "]");
  if (status->code_or_signal != 0) return absl::StrCat(text, "[exit ", status->code_or_signal, "]");
  return text;
}

std::string RunConfined(BrokerProcess& broker, ConfinedRun::Piece piece) {
  return ConfinedRun(broker, std::move(piece)).Text();
}

}  // namespace sockgate::testing
