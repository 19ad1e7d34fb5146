#include "tests/client/link/arming.h"

#include <memory>
#include <string>

#include "client/name_shim.h"
#include "tests/client/fake_resolver.h"

namespace {

struct World {
  sockgate::testing::FakeResolver broker;
  std::unique_ptr<sockgate::BrokerClient> client;
};

World& TheWorld() {
  static World* const world = [] {
    auto* made = new World();
    made->broker.Set("a.test", sockgate::testing::Addresses({"127.0.0.1"}));
    made->broker.Start();
    made->client = *sockgate::BrokerClient::FromDescriptor(made->broker.TakeWorkerEnd());
    return made;
  }();
  return *world;
}

}  // namespace

const char* LinkTestArm() {
  static const std::string* problem = nullptr;
  const absl::Status armed = sockgate::ArmNameShim(TheWorld().client.get());
  if (armed.ok()) return nullptr;
  problem = new std::string(armed.ToString());
  return problem->c_str();
}

void LinkTestDisarm() { sockgate::DisarmNameShim(); }

int LinkTestAsked() { return static_cast<int>(TheWorld().broker.asked().size()); }
