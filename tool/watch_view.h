// WatchView: where `sockgate status --watch` shows what it hears.
//
// Process: the operator's command. Blocking: as standard output does.

#ifndef SOCKGATE_TOOL_WATCH_VIEW_H_
#define SOCKGATE_TOOL_WATCH_VIEW_H_

#include <nlohmann/json.hpp>
#include <string>

#include "tool/live_screen.h"
#include "tool/watched_broker.h"

namespace sockgate {

// Each returns false when nobody can see it any more.
class WatchView {
 public:
  WatchView() = default;
  virtual ~WatchView() = default;
  WatchView(const WatchView&) = delete;
  WatchView& operator=(const WatchView&) = delete;

  virtual bool Answered(const nlohmann::json& reply) = 0;
  virtual bool Silent(const std::string& why) = 0;
};

// A line of JSON for each answer on standard output, in ASCII: no other text could reach a terminal
// unescaped. What went wrong goes to standard error, once for as long as it stays the same.
class JsonView final : public WatchView {
 public:
  bool Answered(const nlohmann::json& reply) override;
  bool Silent(const std::string& why) override;

 private:
  std::string said_;
};

// For people.
class TextView : public WatchView {
 public:
  TextView(const std::string& path, WatchedBroker::Silence silence) : broker_(path, silence) {}

  bool Answered(const nlohmann::json& reply) final;
  bool Silent(const std::string& why) final;

 protected:
  virtual bool Show(const std::vector<std::string>& lines) = 0;
  // Once more.
  bool ShowAgain();

 private:
  WatchedBroker broker_;
};

// A block of lines after the other, for a file or a pipe. What a block says is of its time.
class PlainView final : public TextView {
 public:
  explicit PlainView(const std::string& path) : TextView(path, WatchedBroker::Silence::kAlone) {}

 private:
  bool Show(const std::vector<std::string>& lines) override;
};

class ScreenView final : public TextView {
 public:
  // `keyboard` as of a LiveScreen.
  ScreenView(const std::string& path, int terminal, int keyboard);

  // After the terminal has another size.
  bool Redraw() { return ShowAgain(); }
  // Stops this process, with the terminal as it was before, until it is told to go on.
  bool Suspend();

 private:
  bool Show(const std::vector<std::string>& lines) override;

  LiveScreen screen_;
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_WATCH_VIEW_H_
