// How long one decision takes, with few rules and with very many. Half of the questions are about
// what a rule allows, so both ends of a decision are measured; they are asked in an order that the
// caches cannot guess.
//
//   bazel run --config=opt //tests/bench:policy_bench

#include <benchmark/benchmark.h>

#include <cstdint>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "broker/policy/policy.h"
#include "tests/broker/policy/make_rules.h"

namespace sockgate::testing {
namespace {

constexpr size_t kQuestions = 1 << 12;

struct Question {
  Endpoint endpoint;
  std::vector<HostName> names;
};

std::string AnyV4(std::mt19937& random) {
  // Public addresses only: 11.0.0.0 to 99.255.255.255.
  return absl::StrCat(11 + random() % 89, ".", random() % 256, ".", random() % 256, ".",
                      random() % 256);
}

std::string AnyV6(std::mt19937& random) {
  const auto part = [&] { return absl::Hex(1 + random() % 0xfffe); };
  return absl::StrCat("2600:", part(), ":", part(), ":", part(), "::1");
}

std::string AnyName(std::mt19937& random) {
  return absl::StrCat("host", random() % 1000, ".site", random(), ".example.com");
}

Rule AnyDeny(std::mt19937& random) { return OnCidr(Decision::kDeny, AnyV4(random), "25"); }

// Asks about what every second rule allows, and about something else each time.
template <typename MakeRule, typename MakeOther>
void Run(benchmark::State& state, MakeRule make_rule, MakeOther make_other) {
  std::mt19937 random(1);
  std::vector<Rule> rules;
  std::vector<Question> allowed;
  const auto count = static_cast<size_t>(state.range(0));
  while (rules.size() < count) {
    Question question;
    rules.push_back(make_rule(random, &question));
    allowed.push_back(std::move(question));
    rules.push_back(AnyDeny(random));
  }
  const Policy policy(std::move(rules));
  std::vector<Question> questions;
  for (size_t i = 0; i < kQuestions; ++i) {
    questions.push_back(i % 2 == 0 ? allowed[random() % allowed.size()] : make_other(random));
  }
  std::vector<std::vector<const HostName*>> names(questions.size());
  for (size_t i = 0; i < questions.size(); ++i) {
    for (const HostName& name : questions[i].names) names[i].push_back(&name);
  }
  size_t next = 0;
  for (auto _ : state) {
    const size_t i = next++ % kQuestions;
    benchmark::DoNotOptimize(policy.Decide(questions[i].endpoint, Transport::kStream, names[i]));
  }
}

void BM_Ipv4(benchmark::State& state) {
  Run(
      state,
      [](std::mt19937& random, Question* question) {
        const std::string address = AnyV4(random);
        question->endpoint = At(address, 443);
        return OnCidr(Decision::kAllow, address, "80,443");
      },
      [](std::mt19937& random) {
        return Question{At(AnyV4(random), 443), {}};
      });
}

void BM_Ipv6(benchmark::State& state) {
  Run(
      state,
      [](std::mt19937& random, Question* question) {
        const std::string address = AnyV6(random);
        question->endpoint = At(address, 443);
        return OnCidr(Decision::kAllow, absl::StrCat(address, "/128"), "80,443");
      },
      [](std::mt19937& random) {
        return Question{At(AnyV6(random), 443), {}};
      });
}

void BM_Host(benchmark::State& state) {
  Run(
      state,
      [](std::mt19937& random, Question* question) {
        const std::string name = AnyName(random);
        *question = {At(AnyV4(random), 443), {Name(name)}};
        return OnHost(Decision::kAllow, name, "80,443");
      },
      [](std::mt19937& random) {
        return Question{At(AnyV4(random), 443), {Name(AnyName(random))}};
      });
}

void BM_HostBelow(benchmark::State& state) {
  Run(
      state,
      [](std::mt19937& random, Question* question) {
        const std::string name = AnyName(random);
        *question = {At(AnyV4(random), 443), {Name(absl::StrCat("www.", name))}};
        return OnHost(Decision::kAllow, absl::StrCat("*.", name), "80,443");
      },
      [](std::mt19937& random) {
        return Question{At(AnyV4(random), 443), {Name(absl::StrCat("www.", AnyName(random)))}};
      });
}

BENCHMARK(BM_Ipv4)->Arg(10)->Arg(1000)->Arg(100'000);
BENCHMARK(BM_Ipv6)->Arg(10)->Arg(1000)->Arg(100'000);
BENCHMARK(BM_Host)->Arg(10)->Arg(1000)->Arg(100'000);
BENCHMARK(BM_HostBelow)->Arg(10)->Arg(1000)->Arg(100'000);

}  // namespace
}  // namespace sockgate::testing

BENCHMARK_MAIN();
