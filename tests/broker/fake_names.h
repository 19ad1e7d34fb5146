// FakeNames: a name source that says what the test says, and remembers what it was asked.
//
// Threads: one at a time, as the loop's thread or under LoopThread::Do().

#ifndef SOCKGATE_TESTS_BROKER_FAKE_NAMES_H_
#define SOCKGATE_TESTS_BROKER_FAKE_NAMES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/name_source.h"

namespace sockgate::testing {

class FakeNames final : public NameSource {
 public:
  struct Question {
    uint32_t id;
    std::string name;
    bool open = true;  // has no answer yet
    bool given_up = false;
    bool forgotten = false;
  };

  void SetListener(NameListener* listener) override { listener_ = listener; }
  void Ask(uint32_t id, const HostName& name) override;
  void GiveUp(uint32_t id) override;
  void Forget(uint32_t id) override;

  // Answers question `i` of all that were ever asked.
  void Found(size_t i, const std::vector<std::string>& addresses, uint32_t ttl_seconds = 60,
             const std::string& canonical_name = "");
  void NotFound(size_t i, ResolverStatus status, uint32_t ttl_seconds = 0);
  // What no honest source says.
  void Say(const ResolverAnswer& answer) { listener_->OnAnswer(answer); }
  // As when the resolver dies: every open question is answered "try again".
  void Die();

  size_t size() const { return questions_.size(); }
  const Question& question(size_t i) const { return questions_.at(i); }

 private:
  std::vector<Question> questions_;
  NameListener* listener_ = nullptr;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_BROKER_FAKE_NAMES_H_
