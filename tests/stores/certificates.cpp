#include "tests/stores/certificates.hpp"

#include <stdexcept>

#include "harness/sandbox/sandbox_files.hpp"

namespace pgrehearse {

void run_for(const Laboratory& laboratory, CommandRunner& runner, const std::string& program,
             std::vector<std::string> arguments) {
  const auto result = runner.run(laboratory.command(program, std::move(arguments)), {});
  if (!result.succeeded()) throw std::runtime_error(program + ": " + result.error_output);
}

void make_certificates(const Laboratory& laboratory, CommandRunner& runner,
                       const std::filesystem::path& directory, int days) {
  const auto file = [&](const std::string& name) { return (directory / name).native(); };
  const std::vector<std::string> new_key{"-newkey", "ec", "-pkeyopt",
                                         "ec_paramgen_curve:prime256v1", "-nodes"};
  const auto request = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "req");
    words.insert(words.end(), new_key.begin(), new_key.end());
    run_for(laboratory, runner, "openssl", std::move(words));
  };
  request({"-x509", "-days", "2", "-subj", "/CN=ca", "-keyout", file("ca.key"), "-out",
           file("ca.crt")});
  write_file_of(laboratory.account(), file("names"), "subjectAltName=DNS:localhost\n", 0600);
  for (const auto& [name, subject] :
       {std::pair{"server", "localhost"}, std::pair{"client", "pgclient"}}) {
    const std::string stem = name;
    request({"-subj", std::string("/CN=") + subject, "-keyout", file(stem + ".key"), "-out",
             file(stem + ".request")});
    run_for(laboratory, runner, "openssl",
            {"x509", "-req", "-days", std::to_string(days), "-in", file(stem + ".request"), "-CA",
             file("ca.crt"), "-CAkey", file("ca.key"), "-CAcreateserial", "-extfile", file("names"),
             "-out", file(stem + ".crt")});
  }
}

}  // namespace pgrehearse
