// Brokers that resolve: from the text of a policy, as an operator writes it, to a broker process
// with a resolver of its own.
//
// Process: the test, while it has one thread. Errors end the test program.

#ifndef SOCKGATE_TESTS_INTEGRATION_NAMES_NAMES_BROKER_H_
#define SOCKGATE_TESTS_INTEGRATION_NAMES_NAMES_BROKER_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "broker/broker_process.h"
#include "tests/integration/names/audit_file.h"

namespace sockgate::testing {

// How often the resolver asks, and how long it waits for the first time.
constexpr int kResolverTries = 2;

// Lines of a role that lets every public place be reached.
inline constexpr char kAllPublic[] = "allow = [{ public = true, ports = '*' }]\n";

// A policy with this name server on 127.0.0.1 and no hosts file, and with `roles`, which begins
// with the header of a table.
std::string PolicyText(uint16_t dns_port, const std::string& roles, int timeout_ms = 2000);

// With one role, "test", that has these lines.
std::string OneRole(uint16_t dns_port, const std::string& lines, int timeout_ms = 2000);

BrokerProcess StartNamesBroker(const std::string& policy_text, const AuditFile& audit);

// The broker's resolver, its keeper's child. Waits until there is one that is not `other_than`.
pid_t ResolverOf(const BrokerProcess& broker, pid_t other_than = 0);

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_INTEGRATION_NAMES_NAMES_BROKER_H_
