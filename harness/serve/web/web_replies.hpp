// What the replies of the web site have in common.
#pragma once

#include <httplib.h>

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "harness/history/ledger_row.hpp"
#include "harness/serve/web/web_access.hpp"

namespace pgrehearse {

// No scripts or styles but those of this site; nothing is stored, framed or sent elsewhere.
httplib::Headers security_headers();

void send_json(httplib::Response& response, const nlohmann::ordered_json& json, int status = 200);
void send_error(httplib::Response& response, int status, const std::string& message,
                const std::string& hint);

AccessRequest access_request(const AccessRules& rules, const httplib::Request& request);

// The session id in a Cookie header; empty if it has none.
std::string session_of_cookie(const std::string& cookies);
std::string session_cookie(const std::string& id, bool secure);

}  // namespace pgrehearse
