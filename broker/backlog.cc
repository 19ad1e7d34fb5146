#include "broker/backlog.h"

#include "broker/worker_record.h"

namespace sockgate {

bool Backlog::TakeTurn(WorkerRecord* worker) const {
  const bool had_one = worker->last_turn == loop_->wakeups();
  if (crowded() && (had_one || !worker->queued.empty())) return false;
  worker->last_turn = loop_->wakeups();
  return true;
}

void Backlog::Add(QueuePlace<Queued>* place, WorkerRecord* worker) {
  place->Join(&worker->queued);
  if (!worker->place.queued()) worker->place.Join(&workers_);
}

void Backlog::Remove(QueuePlace<Queued>* place, WorkerRecord* worker) {
  if (!place->queued()) return;
  place->Quit();
  if (worker->queued.empty()) worker->place.Quit();
}

void Backlog::ServeOne() {
  if (workers_.empty()) return;
  WorkerRecord* worker = workers_.front();
  worker->place.Join(&workers_);
  Queued* session = worker->queued.front();
  worker->queued.splice(worker->queued.end(), worker->queued, worker->queued.begin());
  if (session->TakeTurn() == Queued::Turn::kNoMore) session->Leave();
}

}  // namespace sockgate
