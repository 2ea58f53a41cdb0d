// What a notification says, before a channel gives it its form.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/report/report.hpp"
#include "harness/scenario/scenario.hpp"

namespace pgrehearse {

struct Fact {
  std::string name;
  std::string value;
};

// All text is printable: control characters are visible escapes.
struct Message {
  bool is_test = false;  // marked as such; no drill has run
  std::string scenario;
  std::string stanza;
  std::string host;
  std::string run_id;
  Verdict verdict = Verdict::unknown;
  std::optional<Verdict> previous;  // of the drill before
  std::string code;                 // of the finding; empty on a pass
  std::string title;                // the first line: verdict, scenario, stanza and diagnosis
  std::string cause;                // likely cause, finding and object; empty on a pass
  std::string next_step;            // may be empty
  std::vector<Fact> facts;
  Instant started;
  Instant finished;
  std::string report;       // JSON
  std::string report_file;  // its path; empty: it is not stored
};

Message message_of(const Scenario& scenario, const Report& report,
                   std::optional<Verdict> previous = {});
// Says that it is a test of the scenario's channels.
Message test_message(const Scenario& scenario, const std::string& host, Instant now);

// The same for all drills of a scenario: later events change the incident that an earlier one
// opened.
std::string incident_key(const Message& message);

// The whole message, one fact per line, the title first.
std::string text_of(const Message& message);

// At most `bytes` long; ends with "..." if shortened. Characters stay whole.
std::string shortened(const std::string& text, std::size_t bytes);

}  // namespace pgrehearse
