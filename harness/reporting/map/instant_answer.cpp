#include "harness/reporting/map/instant_answer.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/common/counted.hpp"
#include "harness/reporting/palette.hpp"
#include "harness/reporting/phrases.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t label_columns = 12;

Json json_of(const std::optional<Instant>& instant) {
  return instant ? Json(to_iso8601(*instant)) : Json();
}

Verdict verdict_of(Recoverability answer) {
  return answer == Recoverability::recoverable ? Verdict::pass
         : answer == Recoverability::lost      ? Verdict::fail
                                               : Verdict::unknown;
}

std::uint64_t wal_bytes(const InstantAnswer& answer) {
  return answer.end > answer.begin ? answer.end.value - answer.begin.value : 0;
}

}  // namespace

void write_answer_text(const ShownAnswer& shown, const MapRenderOptions& options,
                       std::ostream& out) {
  const auto& answer = shown.answer;
  const Palette paint(options.color);
  const auto width = static_cast<std::size_t>(std::max(options.width, 40));
  const auto line = [&](std::string_view label, const std::string& text) {
    bool first = true;
    for (const auto& part : wrap(text, width - label_columns)) {
      out << pad_right(first ? label : "", label_columns) << part << '\n';
      first = false;
    }
  };
  const auto text_of = [&](Instant at) { return to_text(at, options.utc_offset); };
  const auto words =
      std::string(answer.answer == Recoverability::unknown ? "may be recoverable" : "is ") +
      (answer.answer == Recoverability::unknown ? ": unknown"
                                                : std::string(name_of(answer.answer)));
  out << text_of(shown.at) << ' ' << paint.of(verdict_of(answer.answer), words) << '\n';
  if (!answer.reason.empty()) line("  reason", printable(answer.reason));
  if (answer.answer == Recoverability::recoverable) {
    const auto& backup = answer.backup->backup;
    line("  backup",
         fmt::format("{} ({}, {}), ended {}", printable(backup.label), name_of(backup.type),
                     to_text(backup.size), text_of(backup.stop_time)));
    line("  WAL", fmt::format("about {} segments ({}) from {} to about {}, timeline {}",
                              answer.segments, to_text(Bytes{wal_bytes(answer)}),
                              to_text(answer.begin), to_text(answer.end), answer.timeline));
    line("  duration",
         shown.expected
             ? fmt::format("about {}: restore {}, replay {}; from {}",
                           duration_in_words(shown.expected->restore + shown.expected->replay),
                           duration_in_words(shown.expected->restore),
                           duration_in_words(shown.expected->replay),
                           counted(shown.expected->drills, "drill"))
             : "unknown: no drill of this stanza has passed");
  } else {
    if (answer.earlier) line("  before", "recoverable until " + text_of(*answer.earlier));
    if (answer.later) line("  after", "recoverable again from " + text_of(*answer.later));
  }
  out << '\n';
}

void write_answer_json(const ShownAnswer& shown, std::ostream& out) {
  const auto& answer = shown.answer;
  const bool yes = answer.answer == Recoverability::recoverable;
  Json json{{"schema", "pgrehearse.instant/1"},
            {"stanza", shown.map.stanza},
            {"at", to_iso8601(shown.at)},
            {"recoverable", answer.answer == Recoverability::unknown ? Json() : Json(yes)},
            {"reason", answer.reason},
            {"backup", Json()},
            {"wal", Json()},
            {"expected_seconds", Json()},
            {"recoverable_before", json_of(answer.earlier)},
            {"recoverable_after", json_of(answer.later)}};
  if (yes) {
    const auto& backup = answer.backup->backup;
    json["backup"] = {{"label", backup.label},
                      {"type", std::string(name_of(backup.type))},
                      {"stop", to_iso8601(backup.stop_time)},
                      {"bytes", backup.size.count}};
    json["wal"] = {{"segments", answer.segments}, {"bytes", wal_bytes(answer)},
                   {"timeline", answer.timeline}, {"begin", to_text(answer.begin)},
                   {"end", to_text(answer.end)},  {"latest_end", to_text(answer.latest_end)}};
    if (shown.expected) {
      json["expected_seconds"] = shown.expected->restore + shown.expected->replay;
    }
  }
  out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

}  // namespace pgrehearse
