// Reads and changes PostgreSQL pages: checksum, line pointers, tuple headers (bufpage.h, itemid.h,
// htup_details.h, checksum_impl.h; unchanged since PostgreSQL 9.3).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>

namespace pgrehearse {

inline constexpr std::size_t page_size = 8192;
using Page = std::array<unsigned char, page_size>;

// Throws Error(internal) if the file has no such block.
Page read_page(const std::filesystem::path& file, std::uint32_t block);
void write_page(const std::filesystem::path& file, std::uint32_t block, const Page& page);
std::uint32_t blocks_of(const std::filesystem::path& file);

// The checksum that PostgreSQL would store for the page at `block` of its relation.
std::uint16_t checksum_of(const Page& page, std::uint32_t block);
void store_checksum(Page& page, std::uint32_t block);

std::size_t line_pointers(const Page& page);
// Marks an item (from 0) as dead, like a pruned row.
void kill_item(Page& page, std::size_t item);
// Replaces the inserting transaction of a row and clears its hint bits.
void set_inserting_transaction(Page& page, std::size_t item, std::uint32_t xid);

}  // namespace pgrehearse
