#include "client/armed_client.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace sockgate {
namespace {

std::atomic<BrokerClient*> g_client = nullptr;
std::atomic<int> g_holders = 0;

// A child has none of the threads that held the client when it was made.
void ForgetHolders() { g_holders = 0; }

}  // namespace

// The count goes up before the pointer is read, and Disarm() clears the pointer before it reads the
// count: one of the two sees the other.
ArmedClient::ArmedClient() {
  ++g_holders;
  client_ = g_client;
  if (client_ == nullptr) --g_holders;
}

ArmedClient::~ArmedClient() {
  if (client_ != nullptr) --g_holders;
}

bool ArmedClient::Arm(BrokerClient* client) {
  static const int registered = pthread_atfork(nullptr, nullptr, ForgetHolders);
  static_cast<void>(registered);
  BrokerClient* none = nullptr;
  return g_client.compare_exchange_strong(none, client);
}

void ArmedClient::Disarm() {
  g_client = nullptr;
  while (g_holders > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

bool ArmedClient::armed() { return g_client != nullptr; }

}  // namespace sockgate
