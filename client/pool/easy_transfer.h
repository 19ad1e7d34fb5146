// EasyTransfer: one transfer under way: its handle, what is kept of its response, and its result.
//
// Process: the worker, confined.
// Ownership: owns the handle, which is attached to the adapter for as long. Adapter, trust store and
// sink are lent. libcurl has its address: it does not move.
// Threads: the loop's. Blocks only in writing to Transfer::output.
// Hostile inputs: all that the server sends. Of heads kMaxHeaderBytes are kept, of bodies nothing.
// Failure: Begin() says what libcurl, adapter or trust store would not take; everything else is in
// the result.
//
// Sources: CURLOPT_WRITEFUNCTION(3), CURLOPT_HEADERFUNCTION(3), curl_easy_pause(3),
// curl_easy_getinfo(3).

#ifndef SOCKGATE_CLIENT_POOL_EASY_TRANSFER_H_
#define SOCKGATE_CLIENT_POOL_EASY_TRANSFER_H_

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client/curl_adapter.h"
#include "client/launch/trust_store.h"
#include "client/pool/transfer.h"
#include "client/pool/transfer_sink.h"

namespace sockgate {

class EasyTransfer {
 public:
  EasyTransfer(TransferId id, Transfer transfer, CurlAdapter* adapter, TransferSink* sink);
  ~EasyTransfer();
  EasyTransfer(const EasyTransfer&) = delete;
  EasyTransfer& operator=(const EasyTransfer&) = delete;

  // The transfer of a handle that Begin() has prepared; null for any other.
  static EasyTransfer* Of(CURL* easy);

  // Gives the handle all its options. `trust` may be null.
  absl::Status Begin(const launch::TrustStore* trust);

  // Its callbacks end it at their next turn.
  void Cancel() { cancelled_ = true; }
  bool cancelled() const { return cancelled_; }

  // If the sink would not take a piece: offers it again.
  void Resume();

  // The adapter's answer to an attempt to connect.
  void Note(const Endpoint& endpoint, const ConnectResult& result);

  TransferResult Result(CURLcode code) const;

  TransferId id() const { return id_; }
  CURL* easy() const { return easy_.get(); }

 private:
  struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  // Why a callback ended it, where libcurl cannot know.
  enum class Stopped { kNo, kTooLarge, kHeadTooLarge, kUnwritten };

  static size_t OnHeader(char* line, size_t size, size_t count, void* self);
  static size_t OnBody(char* piece, size_t size, size_t count, void* self);

  void SetRequest();
  void SetLimits();
  void SetTrust(const launch::TrustStore* trust, absl::Status* status);
  bool TakeHeader(absl::string_view line);
  size_t TakeBody(absl::string_view piece);
  void TellHead();
  void Measure(TransferResult* result) const;
  void Judge(CURLcode code, TransferResult* result) const;
  std::string Explain(CURLcode code, const TransferResult& result) const;

  const TransferId id_;
  const Transfer transfer_;
  CurlAdapter* const adapter_;
  TransferSink* const sink_;
  char errors_[CURL_ERROR_SIZE] = "";  // libcurl's, for as long as the handle
  const std::unique_ptr<CURL, FreeEasy> easy_;
  std::unique_ptr<curl_slist, FreeList> headers_;

  ResponseHead head_;
  bool head_told_ = false;
  uint64_t body_bytes_ = 0;
  bool paused_ = false;
  bool cancelled_ = false;
  Stopped stopped_ = Stopped::kNo;
  bool asked_ = false;  // the broker, to connect
  Endpoint attempt_;    // the last one's place
  uint32_t rule_ = 0;   // that allowed it
};

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_POOL_EASY_TRANSFER_H_
