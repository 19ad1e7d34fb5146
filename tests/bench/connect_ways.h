// The ways to come by a connected socket that are timed against each other.

#ifndef SOCKGATE_TESTS_BENCH_CONNECT_WAYS_H_
#define SOCKGATE_TESTS_BENCH_CONNECT_WAYS_H_

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "client/broker_client.h"
#include "proto/unique_fd.h"
#include "tests/bench/accept_sink.h"
#include "tests/bench/bare_broker.h"

namespace sockgate::bench {

struct ConnectWay {
  std::string name;
  // Returns when the socket can be written to; an invalid one when that failed.
  std::function<UniqueFd(const Target&)> connect;
  pid_t helper = 0;  // the process that does some of the work; 0: none
  // Not timed: what a program does while it knows that it will connect. May be empty.
  std::function<void(const Target&)> prepare;
};

// sockgate connected, sockgate in progress, and both prepared. What is passed must outlive the ways.
std::vector<ConnectWay> BrokeredWays(BrokerClient* client, pid_t broker_pid);

// The first is the baseline, plain blocking socket() and connect(): the fewest calls there are.
// The others: plain and non-blocking, a bare broker, and those of BrokeredWays(). What is passed must
// outlive the ways.
std::vector<ConnectWay> AllConnectWays(const BareBroker* bare, BrokerClient* client,
                                       pid_t broker_pid);

}  // namespace sockgate::bench

#endif  // SOCKGATE_TESTS_BENCH_CONNECT_WAYS_H_
