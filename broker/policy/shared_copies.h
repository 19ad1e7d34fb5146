// SharedArray and SharedTable: the containers that toml11 builds its document of. It copies every
// container some ten times on its way up, with all that is in it; here a copy is a reference until
// one of the two changes. And where it takes the last element of an empty array, these throw.
//
// For toml_value.cc alone: they have the part of the standard containers' interface that toml11
// uses.

#ifndef SOCKGATE_BROKER_POLICY_SHARED_COPIES_H_
#define SOCKGATE_BROKER_POLICY_SHARED_COPIES_H_

#include <cstddef>
#include <map>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace sockgate {

template <typename Container>
class SharedCopy {
 public:
  using value_type = typename Container::value_type;
  using size_type = typename Container::size_type;
  using difference_type = typename Container::difference_type;
  using reference = typename Container::reference;
  using const_reference = typename Container::const_reference;
  using iterator = typename Container::iterator;
  using const_iterator = typename Container::const_iterator;

  bool empty() const { return Read().empty(); }
  size_t size() const { return Read().size(); }
  const_iterator begin() const { return Read().begin(); }
  const_iterator end() const { return Read().end(); }
  iterator begin() { return Write().begin(); }
  iterator end() { return Write().end(); }

  friend bool operator==(const SharedCopy& a, const SharedCopy& b) { return a.Read() == b.Read(); }
  friend bool operator<(const SharedCopy& a, const SharedCopy& b) { return a.Read() < b.Read(); }

 protected:
  const Container& Read() const {
    static const Container kNone;
    return shared_ == nullptr ? kNone : *shared_;
  }

  Container& Write() {
    if (shared_ == nullptr) {
      shared_ = std::make_shared<Container>();
    } else if (shared_.use_count() > 1) {
      shared_ = std::make_shared<Container>(*shared_);
    }
    return *shared_;
  }

 private:
  std::shared_ptr<Container> shared_;
};

template <typename Value>
class SharedArray : public SharedCopy<std::vector<Value>> {
 public:
  SharedArray() = default;
  SharedArray(size_t size, const Value& value) { this->Write().assign(size, value); }

  const Value& front() const { return this->Read().at(0); }
  Value& front() { return this->Write().at(0); }
  Value& back() {
    if (this->empty()) throw std::out_of_range("back() of an empty array");
    return this->Write().back();
  }
  void push_back(Value value) { this->Write().push_back(std::move(value)); }
};

template <typename Key, typename Value>
class SharedTable : public SharedCopy<std::map<Key, Value>> {
 public:
  using key_type = Key;
  using mapped_type = Value;

  size_t count(const Key& key) const { return this->Read().count(key); }
  const Value& at(const Key& key) const { return this->Read().at(key); }
  Value& at(const Key& key) { return this->Write().at(key); }
  Value& operator[](const Key& key) { return this->Write()[key]; }
  void insert(std::pair<Key, Value> entry) { this->Write().insert(std::move(entry)); }
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_POLICY_SHARED_COPIES_H_
