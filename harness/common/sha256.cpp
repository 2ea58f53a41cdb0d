#include "harness/common/sha256.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <memory>
#include <vector>

#include "harness/common/error.hpp"
#include "harness/common/throw_if_stopped.hpp"

namespace pgrehearse {

namespace {

class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) {
      throw Error(ErrorKind::environment, "OpenSSL cannot compute SHA-256");
    }
  }
  void add(std::string_view text) { EVP_DigestUpdate(context_.get(), text.data(), text.size()); }
  std::string hexadecimal() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &length);
    std::string text;
    for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", digest.at(i));
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string sha256_of(std::string_view text) {
  Digest digest;
  digest.add(text);
  return digest.hexadecimal();
}

std::optional<std::string> sha256_of_file(const std::filesystem::path& file,
                                          const std::stop_token& stop) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return {};
  Digest digest;
  std::vector<char> buffer(std::size_t{1} << 20U);
  while (stream.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) ||
         stream.gcount() > 0) {
    throw_if_stopped(stop);
    digest.add({buffer.data(), static_cast<std::size_t>(stream.gcount())});
  }
  if (stream.bad()) return {};
  return digest.hexadecimal();
}

}  // namespace pgrehearse
