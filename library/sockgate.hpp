// sockgate for C++17: all headers of its public API. What each part promises is in its own.
//
//   g++ -std=c++17 fetch.cc $(pkg-config --cflags --libs sockgate-static libcurl) -o fetch
//
// The API of C++ is in the archive only: its ABI is that of one version of sockgate, Abseil and the
// compiler. What a shared library can promise is sockgate.h.

#ifndef SOCKGATE_SOCKGATE_HPP_
#define SOCKGATE_SOCKGATE_HPP_

// The broker, in a process or in a thread, and what it goes by.
#include "broker/broker.h"
#include "broker/broker_process.h"
#include "broker/policy/finding_text.h"
#include "broker/policy/policy.h"
#include "broker/policy/policy_file.h"
// The worker, from its launcher's side.
#include "client/launch/channel_source.h"
#include "client/launch/confine.h"
#include "client/launch/pool/worker_pool.h"
#include "client/launch/profile_builder.h"
#include "client/launch/trust_store.h"
#include "client/launch/worker.h"
// The worker itself.
#include "client/broker_client.h"
#include "client/curl_adapter.h"
#include "client/name_shim.h"
#include "client/pool/transfer_loop.h"
#include "client/pool/transfer_process.h"

#endif  // SOCKGATE_SOCKGATE_HPP_
