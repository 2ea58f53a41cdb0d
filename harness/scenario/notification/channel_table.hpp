// The channels as scenarios know them: name and settings of each. How a message is sent through
// them is in harness/notify/senders.cpp.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "harness/scenario/language/settings.hpp"

namespace pgrehearse {

struct ChannelDescription {
  std::string_view name;
  std::string_view summary;  // one line
  std::span<const KeyDescription> keys;
  // A drill that does not pass opens an incident, and the next pass resolves it, whatever `when`.
  bool has_incidents = false;
  // Reports a pass and nothing else.
  bool only_passes = false;
};

std::span<const ChannelDescription> channel_table();

// Throws Error(internal) if `name` is not in the table.
const ChannelDescription& find_channel(std::string_view name);

// Settings common to all channels.
std::span<const KeyDescription> common_channel_keys();

// The channel's own keys and the common ones.
std::vector<KeyDescription> keys_of(const ChannelDescription& channel);

}  // namespace pgrehearse
