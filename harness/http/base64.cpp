#include "harness/http/base64.hpp"

#include <openssl/evp.h>

namespace pgrehearse {

std::string base64(std::string_view bytes) {
  constexpr std::size_t group = 3;
  std::string encoded((bytes.size() + group - 1) / group * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  encoded.resize(static_cast<std::size_t>(length));
  return encoded;
}

}  // namespace pgrehearse
