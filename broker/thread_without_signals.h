// StartWithoutSignals: a thread that no signal reaches.
//
// Process: broker. Signals are for the threads that expect them: the one that has the broker stopped
// by them must not have it done in another, while it destroys the broker.

#ifndef SOCKGATE_BROKER_THREAD_WITHOUT_SIGNALS_H_
#define SOCKGATE_BROKER_THREAD_WITHOUT_SIGNALS_H_

#include <functional>
#include <thread>

namespace sockgate {

std::thread StartWithoutSignals(std::function<void()> run);

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_THREAD_WITHOUT_SIGNALS_H_
