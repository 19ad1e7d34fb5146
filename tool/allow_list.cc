#include "tool/allow_list.h"

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

// Whether the text before the ports can only be meant as an address range, so that a slip in it is
// not looked up as a name.
bool LooksLikeRange(absl::string_view host) {
  return host.find_first_of("/[]:") != absl::string_view::npos ||
         host.find_first_not_of("0123456789.") == absl::string_view::npos;
}

}  // namespace

absl::Status AllowList::Add(absl::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' names no ports: write '", text,
                                                   ":443', '", text, ":80,443' or '", text, ":*'"));
  }
  const absl::string_view host = text.substr(0, colon);
  if (!LooksLikeRange(host)) return AddHost(host, text.substr(colon + 1), text);
  auto rule = Rule::Parse(Decision::kAllow, text);
  if (!rule.ok()) return rule.status();
  rules_.push_back(*std::move(rule));
  sources_.emplace_back(text);
  return absl::OkStatus();
}

absl::string_view AllowList::Source(uint32_t rule) const {
  return rule == 0 || rule > sources_.size() ? absl::string_view() : sources_[rule - 1];
}

absl::Status AllowList::AddHost(absl::string_view host, absl::string_view ports,
                                absl::string_view text) {
  const auto addresses = hosts_->LookUp(std::string{host});
  if (!addresses.ok()) return addresses.status();
  for (const IpAddress& address : *addresses) {
    const std::string literal =
        address.is_v4() ? address.ToString() : absl::StrCat("[", address.ToString(), "]");
    auto rule = Rule::Parse(Decision::kAllow, absl::StrCat(literal, ":", ports));
    if (!rule.ok()) return rule.status();
    rules_.push_back(*std::move(rule));
    sources_.emplace_back(text);
  }
  return absl::OkStatus();
}

}  // namespace sockgate
