// Signatures with an SSH key (ssh-keygen -Y): they can be verified without pgrehearse.
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

#include "harness/process/command_runner.hpp"

namespace pgrehearse {

// The namespace of the signatures, and the name of the signer in a file of allowed signers.
inline constexpr const char* signature_namespace = "pgrehearse";

// Writes FILE.sig. `key` is a private key, or a public key whose private key is in ssh-agent.
// Throws Error(environment) with the message of ssh-keygen.
void sign(const std::filesystem::path& file, const std::filesystem::path& key,
          CommandRunner& runner, const std::stop_token& stop);

// The line of a file of allowed signers for `key`.
std::string allowed_signer(const std::filesystem::path& key, CommandRunner& runner,
                           const std::stop_token& stop);

// nullopt if FILE.sig is a valid signature of `file` by one of `allowed_signers`, else the problem.
std::optional<std::string> signature_problem(const std::filesystem::path& file,
                                             const std::filesystem::path& allowed_signers,
                                             CommandRunner& runner, const std::stop_token& stop);

}  // namespace pgrehearse
