#include "tests/broker/fake_names.h"

namespace sockgate::testing {

void FakeNames::Ask(uint32_t id, const HostName& name) {
  questions_.push_back({id, std::string(name.text())});
}

void FakeNames::GiveUp(uint32_t id) {
  for (Question& question : questions_) {
    if (question.id == id) question.given_up = true;
  }
}

void FakeNames::Forget(uint32_t id) {
  for (Question& question : questions_) {
    if (question.id != id) continue;
    question.forgotten = true;
    question.open = false;
  }
}

void FakeNames::Found(size_t i, const std::vector<std::string>& addresses, uint32_t ttl_seconds,
                      const std::string& canonical_name) {
  ResolverAnswer answer;
  answer.id = questions_.at(i).id;
  answer.status = ResolverStatus::kFound;
  answer.ttl_seconds = ttl_seconds;
  answer.canonical_name = canonical_name;
  for (const std::string& text : addresses) {
    // A mapped one stays among the IPv6 addresses, where the resolver would have put it.
    const IpAddress address = IpAddress::Parse(text).value();
    if (text.find(':') == std::string::npos) {
      answer.v4.at(answer.v4_count++) = address;
    } else {
      answer.v6.at(answer.v6_count++) = address;
    }
  }
  questions_[i].open = false;
  Say(answer);
}

void FakeNames::NotFound(size_t i, ResolverStatus status, uint32_t ttl_seconds) {
  ResolverAnswer answer;
  answer.id = questions_.at(i).id;
  answer.status = status;
  answer.ttl_seconds = ttl_seconds;
  questions_[i].open = false;
  Say(answer);
}

void FakeNames::Die() {
  for (size_t i = 0; i < questions_.size(); ++i) {
    if (questions_[i].open) NotFound(i, ResolverStatus::kTryAgain);
  }
}

}  // namespace sockgate::testing
