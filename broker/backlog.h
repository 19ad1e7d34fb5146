// Backlog: channels of workers that ask for more than their share, and whose turn is when nobody
// else has asked.
//
// Process: broker, the loop's thread. Owns nothing: a session leaves before it ends.
// A worker has kShare turns, one request each, from the moment that it asks; what it asks beyond
// them waits here until there was a moment in which it had nothing to say. Workers here have one
// turn after the other, whatever the number of their channels, and between two turns the loop looks
// for those who are not here. So whoever asks seldom waits for one request of whoever floods, and a
// worker that is alone has all turns. This is how fair queueing treats sparse flows (RFC 8290, 4.2),
// with requests in the place of bytes.
// Hostile input: none is seen here. A worker is a connection, though: a process that may come by a
// path can be many workers, which the role's totals bound (role.h).
// Cost: two epoll_ctl(2) each time that a worker has used up its share; nothing is allocated.

#ifndef SOCKGATE_BROKER_BACKLOG_H_
#define SOCKGATE_BROKER_BACKLOG_H_

#include <cstdint>
#include <list>

namespace sockgate {

struct WorkerRecord;

// What waits: a session.
class Queued {
 public:
  // One request, if there is one.
  enum class Turn : uint8_t {
    kTaken,    // there may be more
    kNothing,  // there was none
    kOver,     // the session has left the backlog meanwhile
  };
  virtual Turn TakeTurn() = 0;
  // It has nothing to say and waits no more.
  virtual void Leave() = 0;

 protected:
  ~Queued() = default;
};

// The place of one worker, or of one of its channels, in a queue. Moving it allocates nothing.
template <typename T>
class QueuePlace {
 public:
  explicit QueuePlace(T* who) : own_({who}) {}
  QueuePlace(const QueuePlace&) = delete;
  QueuePlace& operator=(const QueuePlace&) = delete;

  bool queued() const { return queue_ != nullptr; }
  void Join(std::list<T*>* queue) {
    queue->splice(queue->end(), queue_ == nullptr ? own_ : *queue_, At());
    queue_ = queue;
  }
  void Quit() {
    if (queue_ == nullptr) return;
    own_.splice(own_.begin(), *queue_, at_);
    queue_ = nullptr;
  }

 private:
  typename std::list<T*>::iterator At() {
    if (queue_ == nullptr) at_ = own_.begin();
    return at_;
  }

  std::list<T*> own_;  // holds the one node while it is in no queue
  std::list<T*>* queue_ = nullptr;
  typename std::list<T*>::iterator at_;
};

class Backlog {
 public:
  // A thread that asks, is answered and asks again seems to ask all the time; what it costs to see
  // that it does not is spread over so many requests.
  static constexpr uint32_t kShare = 32;

  // Whether the worker may be read from now; it has then had the turn.
  static bool HasTurn(WorkerRecord* worker);

  void Add(QueuePlace<Queued>* place, WorkerRecord* worker);
  void Remove(QueuePlace<Queued>* place, WorkerRecord* worker);

  // The next turn of the worker that has waited longest.
  void ServeOne();

  bool empty() const { return workers_.empty(); }

 private:
  std::list<WorkerRecord*> workers_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_BACKLOG_H_
