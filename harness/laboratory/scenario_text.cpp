#include "harness/laboratory/scenario_text.hpp"

#include "harness/laboratory/laboratory.hpp"

namespace pgrehearse {

std::string expand_scenario(std::string_view scenario_template,
                            const std::map<std::string, std::string>& values) {
  std::string text(scenario_template);
  for (const auto& [word, value] : values) {
    const auto placeholder = "@" + word + "@";
    for (auto at = text.find(placeholder); at != std::string::npos;
         at = text.find(placeholder, at + value.size())) {
      text.replace(at, placeholder.size(), value);
    }
  }
  return text;
}

std::string Laboratory::expand(std::string_view scenario_template, const std::string& name) const {
  return expand_scenario(scenario_template,
                         {{"name", name},
                          {"stanza", options_.stanza},
                          {"configuration", options_.repository_host ? paths_.host_configuration
                                                                     : paths_.configuration},
                          {"dsn", dsn("postgres")},
                          {"account", account_.name}});
}

std::string Laboratory::scenario_text(const std::string& name, std::string_view rest) const {
  return expand(R"(name: @name@
repository:
  type: pgbackrest
  stanza: @stanza@
  config: @configuration@
primary: { dsn: "@dsn@" }
sandbox: { type: local, run_as: @account@ }
)",
                name) +
         std::string(rest);
}

}  // namespace pgrehearse
