#include "harness/faults/damage/heap_page.hpp"

#include <fmt/format.h>

#include <cstring>
#include <fstream>

#include "harness/common/error.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t header_size = 24;
constexpr std::size_t checksum_at = 8;
constexpr std::size_t lower_at = 12;
constexpr std::size_t item_size = 4;
constexpr std::size_t infomask_at = 20;
constexpr std::uint16_t xmin_known = 0x0300;  // HEAP_XMIN_COMMITTED, HEAP_XMIN_INVALID, frozen

constexpr std::size_t lanes = 32;
constexpr std::uint32_t prime = 16777619;
constexpr std::array<std::uint32_t, lanes> offsets{
    0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
    0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
    0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
    0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756};

std::uint32_t mixed(std::uint32_t sum, std::uint32_t value) {
  const auto both = sum ^ value;
  return both * prime ^ (both >> 17U);
}

template <typename T>
T get(const Page& page, std::size_t at) {
  T value{};
  std::memcpy(&value, &page.at(at), sizeof value);
  return value;
}

template <typename T>
void put(Page& page, std::size_t at, T value) {
  std::memcpy(&page.at(at), &value, sizeof value);
}

std::size_t item_at(const Page& page, std::size_t item) {
  if (item >= line_pointers(page)) {
    throw Error(ErrorKind::internal, fmt::format("the page has no item {}", item));
  }
  return header_size + item * item_size;
}

}  // namespace

Page read_page(const std::filesystem::path& file, std::uint32_t block) {
  std::ifstream stream(file, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(block) * static_cast<std::streamoff>(page_size));
  Page page{};
  stream.read(reinterpret_cast<char*>(page.data()), page_size);
  if (!stream) {
    throw Error(ErrorKind::internal, fmt::format("{} has no block {}", file.native(), block));
  }
  return page;
}

void write_page(const std::filesystem::path& file, std::uint32_t block, const Page& page) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(block) * static_cast<std::streamoff>(page_size));
  stream.write(reinterpret_cast<const char*>(page.data()), page_size);
  if (!stream) throw Error(ErrorKind::internal, fmt::format("cannot write {}", file.native()));
}

std::uint32_t blocks_of(const std::filesystem::path& file) {
  return static_cast<std::uint32_t>(std::filesystem::file_size(file) / page_size);
}

std::uint16_t checksum_of(const Page& page, std::uint32_t block) {
  Page plain = page;
  put<std::uint16_t>(plain, checksum_at, 0);
  auto sums = offsets;
  for (std::size_t at = 0; at < page_size; at += lanes * sizeof(std::uint32_t)) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      sums.at(lane) =
          mixed(sums.at(lane), get<std::uint32_t>(plain, at + lane * sizeof(std::uint32_t)));
    }
  }
  std::uint32_t result = 0;
  for (auto sum : sums) result ^= mixed(mixed(sum, 0), 0);
  result ^= block;
  return static_cast<std::uint16_t>(result % 65535 + 1);
}

void store_checksum(Page& page, std::uint32_t block) {
  put(page, checksum_at, checksum_of(page, block));
}

std::size_t line_pointers(const Page& page) {
  const std::size_t lower = get<std::uint16_t>(page, lower_at);
  return lower <= header_size ? 0 : (lower - header_size) / item_size;
}

void kill_item(Page& page, std::size_t item) {
  constexpr std::uint32_t dead = 3U << 15U;  // offset 0, LP_DEAD, length 0
  put(page, item_at(page, item), dead);
}

void set_inserting_transaction(Page& page, std::size_t item, std::uint32_t xid) {
  const std::size_t tuple = get<std::uint32_t>(page, item_at(page, item)) & 0x7FFFU;
  put(page, tuple, xid);
  const auto mask = get<std::uint16_t>(page, tuple + infomask_at);
  put(page, tuple + infomask_at, static_cast<std::uint16_t>(mask & ~xmin_known));
}

}  // namespace pgrehearse
