// BrokerThread: a real Broker in a thread, with one role that allows loopback and nothing else.

#ifndef SOCKGATE_TESTS_CLIENT_BROKER_THREAD_H_
#define SOCKGATE_TESTS_CLIENT_BROKER_THREAD_H_

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "broker/broker.h"

namespace sockgate::testing {

class BrokerThread {
 public:
  // Listens on `path` too, unless it is empty.
  explicit BrokerThread(const Limits& limits = Limits(), const std::string& path = "") {
    Role role;
    role.name = "test";
    role.policy = Policy({*Rule::Parse(Decision::kAllow, "127.0.0.0/8:*")});
    role.limits = limits;
    BrokerOptions options;
    options.roles.push_back(std::move(role));
    broker_ = *Broker::Create(std::move(options));
    if (!path.empty()) listening_ = broker_->Listen({path, "test"}).ok();
    thread_ = std::thread([this] { broker_->Run(); });
  }
  ~BrokerThread() { Stop(); }
  BrokerThread(const BrokerThread&) = delete;
  BrokerThread& operator=(const BrokerThread&) = delete;

  UniqueFd AddWorker() { return *broker_->AddWorker("test"); }
  bool listening() const { return listening_; }

  void Stop() {
    if (!thread_.joinable()) return;
    broker_->Stop();
    thread_.join();
    broker_.reset();
  }

 private:
  std::unique_ptr<Broker> broker_;
  bool listening_ = false;
  std::thread thread_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_CLIENT_BROKER_THREAD_H_
