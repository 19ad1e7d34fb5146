// Backlog: channels of workers that say more at a time than others, and whose turn is when those
// have had theirs.
//
// Process: broker, the loop's thread. Owns nothing; the loop is lent, and a session leaves before it
// ends.
// Few that ask at once take turns as they come. In a crowd a worker has one turn, one request, at
// each wake-up, and a channel on which more requests wait joins the backlog, where workers have one
// turn after the other, whatever the number of their channels, and between two turns the loop looks
// for those who are not here. So whoever asks for one thing at a time waits for one request of
// whoever floods, however many flood; and a worker that is alone has all turns. This is how fair
// queueing treats sparse flows (RFC 8290, 4.2), with requests in the place of bytes.
// Hostile input: none is seen here. A worker is a connection, though: a process that may come by a
// path can be many workers, which the role's totals bound (role.h).
// Cost: for each channel that joins two epoll_ctl(2), and for each turn in a crowd, or of the backlog,
// one poll(2); nothing is allocated, and where few ask nobody joins.

#ifndef SOCKGATE_BROKER_BACKLOG_H_
#define SOCKGATE_BROKER_BACKLOG_H_

#include <cstdint>
#include <list>

#include "broker/event_loop.h"

namespace sockgate {

struct WorkerRecord;

// What waits: a session.
class Queued {
 public:
  // One request.
  enum class Turn : uint8_t {
    kMore,    // more of them wait
    kNoMore,  // none does
    kOver,    // the session has left the backlog meanwhile
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
  explicit Backlog(const EventLoop* loop) : loop_(loop) {}

  // Whether more ask at once than may take turns as they come.
  bool crowded() const { return loop_->events() + workers_.size() > kFew; }
  // Whether the worker may be read from now. If so it has had its turn.
  bool TakeTurn(WorkerRecord* worker) const;

  void Add(QueuePlace<Queued>* place, WorkerRecord* worker);
  void Remove(QueuePlace<Queued>* place, WorkerRecord* worker);

  // The next turn of the worker that has waited longest.
  void ServeOne();

  bool empty() const { return workers_.empty(); }

 private:
  // One waits for one request of the other, as it would if that were in the backlog.
  static constexpr size_t kFew = 2;

  const EventLoop* const loop_;
  std::list<WorkerRecord*> workers_;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_BACKLOG_H_
