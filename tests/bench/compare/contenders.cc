#include "tests/bench/compare/contenders.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/bench/compare/netns_bridge.h"
#include "tests/bench/compare/process_tree.h"
#include "tests/bench/compare/proxy_programs.h"
#include "tests/bench/compare/serve_program.h"

namespace sockgate::bench {
namespace {

// What starting one takes.
struct Stage {
  const ContenderOptions& options;
  const TargetServer& server;
  std::optional<ServeProgram> broker = {};  // of all ways through sockgate

  // Of a program's own.
  std::string FolderFor(const std::string& key) const {
    std::string folder = absl::StrCat(options.folder, "/", key);
    std::filesystem::create_directory(folder);
    // Daemons that leave root write there as somebody else.
    chmod(folder.c_str(), 01777);
    return folder;
  }
};

using StartWay = std::function<absl::Status(Stage*, Contender*)>;

absl::Status Take(absl::StatusOr<FetchSide> side, Contender* contender) {
  if (!side.ok()) return side.status();
  contender->side = *std::move(side);
  return absl::OkStatus();
}

PlainWay Unconfined(const Stage& stage, const Contender& contender) {
  PlainWay way;
  way.name = contender.name;
  way.ca_file = stage.server.ca_file();
  way.no_ca_folder = !contender.only_tls;
  return way;
}

absl::Status StartPlain(Stage* stage, Contender* contender) {
  const PlainWay way = Unconfined(*stage, *contender);
  return Take(FetchSide::Plain(stage->server.Urls(false), way), contender);
}

absl::Status StartSockgate(ConnectMode mode, bool prepared, Stage* stage, Contender* contender) {
  if (!stage->broker.has_value()) {
    auto broker = ServeProgram::Start(
        {stage->options.sockgate, stage->FolderFor("sockgate"), stage->options.root});
    if (!broker.ok()) return broker.status();
    stage->broker = *std::move(broker);
  }
  auto channel = stage->broker->AddWorker();
  if (!channel.ok()) return channel.status();
  ConfinedWay way;
  way.name = contender->name;
  way.mode = mode;
  way.prepared = prepared;
  way.ca_file = stage->server.ca_file();
  contender->helpers.push_back(stage->broker->program());
  return Take(FetchSide::Confined(stage->server.Urls(false), *std::move(channel),
                                  stage->broker->pid(), way),
              contender);
}

absl::Status StartProxied(ProxyKind kind, Stage* stage, Contender* contender) {
  auto proxy = StartProxy(kind, {stage->FolderFor(contender->key), stage->options.root});
  if (!proxy.ok()) return proxy.status();
  PlainWay way = Unconfined(*stage, *contender);
  way.proxy = proxy->url;
  contender->helpers.push_back(std::move(proxy->program));
  return Take(FetchSide::Plain(stage->server.Urls(false), way), contender);
}

absl::Status StartBridged(Stage* stage, Contender* contender) {
  auto bridge = NetnsBridge::Start(stage->FolderFor(contender->key), stage->server);
  if (!bridge.ok()) return bridge.status();
  PlainWay way = Unconfined(*stage, *contender);
  way.network = bridge->network();
  for (auto& program : bridge->TakePrograms()) contender->helpers.push_back(std::move(program));
  return Take(FetchSide::Plain(stage->server.Urls(true), way), contender);
}

StartWay Sockgate(ConnectMode mode, bool prepared = false) {
  return [mode, prepared](Stage* stage, Contender* contender) {
    return StartSockgate(mode, prepared, stage, contender);
  };
}

StartWay Proxied(ProxyKind kind) {
  return
      [kind](Stage* stage, Contender* contender) { return StartProxied(kind, stage, contender); };
}

struct Way {
  Contender contender;
  StartWay start;
};

// A further mode of sockgate's is one line here.
std::vector<Way> AllWays() {
  std::vector<Way> ways;
  const auto add = [&ways](const char* key, const char* name, StartWay start) {
    ways.push_back({{key, name, ""}, std::move(start)});
  };
  add("plain", "plain libcurl", StartPlain);
  add("capath", "plain, default CAPATH", StartPlain);
  ways.back().contender.only_tls = true;
  add("connected", "sockgate, connected", Sockgate(ConnectMode::kConnected));
  add("in-progress", "sockgate, in progress", Sockgate(ConnectMode::kInProgress));
  add("prepared", "sockgate, prepared", Sockgate(ConnectMode::kInProgress, /*prepared=*/true));
  add("microsocks", "microsocks (SOCKS5)", Proxied(ProxyKind::kMicrosocks));
  add("dante", "dante (SOCKS5)", Proxied(ProxyKind::kDante));
  add("tinyproxy", "tinyproxy (HTTP)", Proxied(ProxyKind::kTinyproxy));
  add("squid", "squid (HTTP)", Proxied(ProxyKind::kSquid));
  add("bridge", "bubblewrap + socat", StartBridged);
  return ways;
}

bool IsAskedFor(const std::string& key, const std::vector<std::string>& keys) {
  return keys.empty() || std::find(keys.begin(), keys.end(), key) != keys.end();
}

}  // namespace

double Contender::HelperCpuMicroseconds() const {
  double sum = 0;
  for (const auto& helper : helpers) sum += TreeCpuMicroseconds(helper->pid());
  return sum;
}

HelperMemory Contender::Memory() const {
  HelperMemory memory;
  if (helpers.empty()) return memory;
  memory.first = ProcessMemoryBytes(helpers.front()->pid());
  for (const auto& helper : helpers) memory.all += TreeMemoryBytes(helper->pid());
  return memory;
}

absl::StatusOr<std::vector<Contender>> StartContenders(const ContenderOptions& options,
                                                       const TargetServer& server) {
  Stage stage{options, server};
  std::vector<Contender> contenders;
  for (Way& way : AllWays()) {
    const bool baseline = contenders.empty();
    if (!baseline && !IsAskedFor(way.contender.key, options.ways)) continue;
    const absl::Status status = way.start(&stage, &way.contender);
    if (!status.ok()) {
      if (baseline || way.contender.name.rfind("sockgate", 0) == 0) return status;
      way.contender.remark = std::string(status.message());
      way.contender.helpers.clear();
    }
    contenders.push_back(std::move(way.contender));
  }
  return contenders;
}

std::vector<std::string> ContenderKeys() {
  std::vector<std::string> keys;
  for (const Way& way : AllWays()) keys.push_back(way.contender.key);
  return keys;
}

}  // namespace sockgate::bench
