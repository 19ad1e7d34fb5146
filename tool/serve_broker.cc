#include "tool/serve_broker.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tool/audit_file.h"
#include "tool/serve_identity.h"

namespace sockgate {
namespace {

using confine::CageLevel;

bool IsLeftAlone(const ServeOptions& options) {
  return options.cage == CageLevel::kNone && options.user.empty();
}

absl::Status WithAdvice(const absl::Status& error, absl::string_view advice) {
  return {error.code(), absl::StrCat(error.message(), advice)};
}

// Of what goes wrong with the cage.
absl::Status Advise(const absl::Status& error, CageLevel level) {
  if (level == CageLevel::kFull && absl::IsUnavailable(error)) {
    return WithAdvice(error, ": to serve with less of a cage, write --cage without-landlock");
  }
  return WithAdvice(error, ": no cage; to serve without one, write --cage none");
}

absl::StatusOr<UniqueFd> OpenAudit(const ServeOptions& options, ServeStreams* streams) {
  if (streams->audit.valid()) return std::move(streams->audit);
  auto audit = OpenAuditFile(options.audit_file);
  if (audit.ok() || options.user.empty()) return audit;
  return WithAdvice(audit.status(), absl::StrCat(", as user ", options.user));
}

absl::Status ListenOn(const std::vector<ListenAt>& listen, Broker* broker) {
  return AsOwnerOfPaths(listen, [&] {
    absl::Status status;
    for (const ListenAt& at : listen) {
      status = broker->Listen(at);
      if (!status.ok()) break;
    }
    return status;
  });
}

absl::Status Enter(const ServeOptions& options, const CagePlaces& places, Broker* broker) {
  if (options.cage == CageLevel::kNone && !options.user.empty()) {
    if (absl::Status status = KeepNetworkCapabilities(); !status.ok()) return status;
  }
  absl::Status status = broker->EnterCage(places);
  // What a role needs is another matter than what the cage does.
  if (status.ok() || absl::IsFailedPrecondition(status)) return status;
  return Advise(status, options.cage);
}

void Say(const CageReport& cage) {
  std::fprintf(stderr, "sockgate serve: cage %s: %s\n", confine::Word(cage.level),
               cage.ToString().c_str());
  if (cage.level == CageLevel::kNone) {
    std::fputs("sockgate serve: warning: no cage: whoever takes this process over has its rights\n",
               stderr);
  } else if (cage.landlock_abi == 0) {
    std::fputs("sockgate serve: warning: no Landlock: all that its user may read can be read\n",
               stderr);
  }
  if (cage.user == 0)
    std::fputs("sockgate serve: runs as root, whom no cage holds well: use --user\n", stderr);
}

}  // namespace

void HoldSignals(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : signals) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

ServeStreams OpenServeStreams(const ServeOptions& options) {
  ServeStreams streams;
  if (options.audit_file == "-") streams.audit = OwnStandardError();
  streams.log = OwnStandardError();
  return streams;
}

absl::Status BecomeServer(const ServeOptions& options) {
  return IsLeftAlone(options) ? absl::OkStatus() : StepDown(options.user);
}

absl::StatusOr<std::unique_ptr<Broker>> StartServing(const ServeOptions& options,
                                                     ServeStreams* streams,
                                                     BrokerOptions broker_options,
                                                     const std::vector<ListenAt>& listen,
                                                     const CagePlaces& places) {
  auto audit = OpenAudit(options, streams);
  if (!audit.ok()) return audit.status();
  broker_options.audit = *std::move(audit);
  broker_options.cage = options.cage;
  broker_options.threads = options.threads;
  auto broker = Broker::Create(std::move(broker_options));
  if (!broker.ok()) {
    // Of the keeper's cage.
    return absl::IsUnavailable(broker.status()) ? Advise(broker.status(), options.cage)
                                                : broker.status();
  }
  absl::Status status = ListenOn(listen, broker->get());
  if (status.ok()) status = Enter(options, places, broker->get());
  if (!status.ok()) return status;
  Say((*broker)->cage());
  return broker;
}

}  // namespace sockgate
