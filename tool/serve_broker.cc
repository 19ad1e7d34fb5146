#include "tool/serve_broker.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "broker/control/control_thread.h"
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

absl::StatusOr<AuditPlace> OpenAudit(const ServeOptions& options, Inheritance* inherited) {
  if (inherited->audit.valid()) return AuditPlace{std::move(inherited->audit)};
  return OpenAuditPlace(options.audit_file);
}

// Null: there is none. Bound before anything is said: who has read where the broker listens may
// give it orders.
absl::StatusOr<std::unique_ptr<ListeningSocket>> OpenControl(const std::string& path,
                                                             UniqueFd inherited) {
  if (path.empty()) return nullptr;
  if (inherited.valid()) {
    return std::make_unique<ListeningSocket>(ListeningSocket::Adopt(path, std::move(inherited)));
  }
  auto bound = ListeningSocket::Bind({path, /*role=*/""});
  if (!bound.ok()) return bound.status();
  return std::make_unique<ListeningSocket>(*std::move(bound));
}

absl::Status ListenOn(const std::vector<ListenAt>& listen, InheritedSockets* sockets,
                      Broker* broker) {
  return AsOwnerOfPaths(listen, [&] {
    absl::Status status;
    for (const ListenAt& at : listen) {
      status = broker->Listen(at, sockets->Take(at.path));
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
  if (cage.user == 0) {
    std::fputs("sockgate serve: runs as root, whom no cage holds well: use --user\n", stderr);
  }
}

}  // namespace

void HoldSignals(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : signals) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

absl::Status BecomeServer(const ServeOptions& options) {
  return IsLeftAlone(options) ? absl::OkStatus() : StepDown(options.user);
}

absl::StatusOr<Serving> StartServing(const ServeOptions& options, Inheritance* inherited,
                                     BrokerOptions broker_options,
                                     const std::vector<ListenAt>& listen, CagePlaces places) {
  auto audit = OpenAudit(options, inherited);
  if (!audit.ok()) return audit.status();
  places.audit_folder = std::move(audit->folder);
  broker_options.audit = std::move(audit->descriptor);
  broker_options.cage = options.cage;
  broker_options.threads = options.threads;
  broker_options.spin = std::chrono::microseconds(options.spin_us);
  auto broker = Broker::Create(std::move(broker_options));
  if (!broker.ok()) {
    // Of the keeper's cage.
    return absl::IsUnavailable(broker.status()) ? Advise(broker.status(), options.cage)
                                                : broker.status();
  }
  absl::Status status = ListenOn(listen, &inherited->sockets, broker->get());
  if (!status.ok()) return status;
  auto control = OpenControl(options.control, inherited->sockets.Take(options.control));
  if (!control.ok()) return control.status();
  status = inherited->sockets.CheckAllTaken();
  if (status.ok()) status = Enter(options, places, broker->get());
  if (!status.ok()) return status;
  Say((*broker)->cage());
  return Serving{*std::move(broker), std::move(audit->reopen), *std::move(control)};
}

absl::Status RunServing(const ServeOptions& options, const Inheritance& inherited, Serving* serving,
                        OperatorLog* log, Reloader* reloader) {
  Broker* const broker = serving->broker.get();
  const ServiceNotify& notify = inherited.notify;
  AuditRotator rotator(broker, serving->reopen_audit, log);
  ControlThread::Options control_options;
  control_options.socket = std::move(serving->control);
  if (serving->reopen_audit != nullptr) control_options.rotator = &rotator;
  control_options.notify = &notify;
  if (notify.beat_period().count() > 0) {
    broker->BeatEvery(notify.beat_period(), [&notify] { notify.Beat(); });
  }
  broker->OnFinish([&notify] { notify.Stopping(); });
  auto control = ControlThread::Start(std::move(control_options), broker, reloader);
  if (!control.ok()) return control.status();
  broker->RunAsProcess({SIGTERM, SIGINT}, options.finish_time);
  // Otherwise it has been said when that time began.
  if (options.finish_time.count() == 0) notify.Stopping();
  return absl::OkStatus();
}

}  // namespace sockgate
