// A program of the user's. It gets nothing from this process's environment but PATH.
#include <fmt/format.h>

#include "harness/common/text.hpp"
#include "harness/notify/senders.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

constexpr int try_again = 75;  // EX_TEMPFAIL

std::string reason_of(const CommandResult& result) {
  if (result.timed_out) return "timed out";
  const auto lines = lines_of(result.error_output);
  const auto output = lines.empty() ? std::string() : ": " + printable_on_one_line(lines.back());
  if (result.signal != 0) return fmt::format("ended by signal {}{}", result.signal, output);
  return fmt::format("exit code {}{}", result.exit_code, output);
}

}  // namespace

void send_to_command(const Attempt& attempt) {
  const auto& message = attempt.message;
  const auto words = attempt.spec.settings.get_or<std::vector<std::string>>("run", {});
  const Command command{
      .program = words.front(),
      .arguments = {words.begin() + 1, words.end()},
      .environment = {{"PGREHEARSE_VERDICT", std::string(name_of(message.verdict))},
                      {"PGREHEARSE_SCENARIO", message.scenario},
                      {"PGREHEARSE_STANZA", message.stanza},
                      {"PGREHEARSE_TITLE", message.title},
                      {"PGREHEARSE_REPORT", message.report_file},
                      {"PGREHEARSE_TEST", message.is_test ? "1" : "0"}},
      .timeout = attempt.timeout,
      .grace = std::chrono::seconds(2)};
  const auto result = attempt.transports.commands.run(command, attempt.stop);
  throw_if_cancelled(result);
  if (result.succeeded()) return;
  throw DeliveryError(reason_of(result), result.exit_code == try_again);
}

}  // namespace pgrehearse
