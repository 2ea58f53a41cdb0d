#include "harness/history/evidence/signature.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

#include "harness/common/error.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

Command ssh_keygen(std::vector<std::string> arguments) {
  Command command{.program = "ssh-keygen", .arguments = std::move(arguments)};
  if (const char* agent = std::getenv("SSH_AUTH_SOCK"))
    command.environment["SSH_AUTH_SOCK"] = agent;
  // A key with a passphrase is refused instead of asking for it.
  command.environment["SSH_ASKPASS_REQUIRE"] = "never";
  command.timeout = std::chrono::minutes(1);
  return command;
}

std::string message_of(const CommandResult& result) {
  const auto text = trim(result.error_output.empty() ? result.output : result.error_output);
  return text.empty() ? fmt::format("exit code {}", result.exit_code) : std::string(text);
}

CommandResult run(const Command& command, CommandRunner& runner, const std::stop_token& stop) {
  auto result = runner.run(command, stop);
  throw_if_cancelled(result);
  return result;
}

[[noreturn]] void refuse(const fs::path& key, const CommandResult& result) {
  throw Error(ErrorKind::environment,
              fmt::format("cannot sign with the key {}: {}", key.string(), message_of(result)),
              "use an SSH key without passphrase that this account can read, or the public key of "
              "a key in ssh-agent; create one with: ssh-keygen -t ed25519 -N '' -f KEY");
}

}  // namespace

void sign(const fs::path& file, const fs::path& key, CommandRunner& runner,
          const std::stop_token& stop) {
  auto signature = file;
  signature += ".sig";
  std::error_code ignored;
  fs::remove(signature, ignored);  // ssh-keygen would ask whether to overwrite it
  const auto result = run(ssh_keygen({"-Y", "sign", "-q", "-f", fs::absolute(key), "-n",
                                      signature_namespace, fs::absolute(file)}),
                          runner, stop);
  if (!result.succeeded() || !fs::exists(signature)) refuse(key, result);
}

std::string allowed_signer(const fs::path& key, CommandRunner& runner,
                           const std::stop_token& stop) {
  std::string text;
  auto public_key = key;
  if (public_key.extension() != ".pub") public_key += ".pub";
  std::ifstream stream(public_key);
  if (!std::getline(stream, text)) {
    const auto result = run(ssh_keygen({"-y", "-f", fs::absolute(key)}), runner, stop);
    if (!result.succeeded()) refuse(key, result);
    text = trim(result.output);
  }
  return fmt::format("{} namespaces=\"{}\" {}\n", signature_namespace, signature_namespace, text);
}

std::optional<std::string> signature_problem(const fs::path& file, const fs::path& allowed_signers,
                                             CommandRunner& runner, const std::stop_token& stop) {
  auto signature = file;
  signature += ".sig";
  const auto name = file.filename().string();
  std::error_code ignored;
  if (!fs::exists(signature, ignored)) return fmt::format("{} is not signed", name);
  auto command =
      ssh_keygen({"-Y", "verify", "-q", "-f", fs::absolute(allowed_signers), "-I",
                  signature_namespace, "-n", signature_namespace, "-s", fs::absolute(signature)});
  command.input = fs::absolute(file);
  const auto result = run(command, runner, stop);
  if (result.succeeded()) return {};
  return fmt::format("the signature of {} is not valid: {}", name, message_of(result));
}

}  // namespace pgrehearse
