// A page of PostgreSQL's as the planter needs it: its checksum, its line pointers, its tuples'
// headers (bufpage.h, itemid.h, htup_details.h, checksum_impl.h; unchanged since PostgreSQL 9.3).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>

namespace pgrehearse {

inline constexpr std::size_t page_size = 8192;
using Page = std::array<unsigned char, page_size>;

// Throws Error(internal) when the file has no such block.
Page read_page(const std::filesystem::path& file, std::uint32_t block);
void write_page(const std::filesystem::path& file, std::uint32_t block, const Page& page);
std::uint32_t blocks_of(const std::filesystem::path& file);

// What PostgreSQL would store in the page's header if it stood at `block` of its relation.
std::uint16_t checksum_of(const Page& page, std::uint32_t block);
void store_checksum(Page& page, std::uint32_t block);

std::size_t line_pointers(const Page& page);
// Marks an item as dead (`item` from 0), as a cleaned row is.
void kill_item(Page& page, std::size_t item);
// Replaces the inserting transaction of a row and forgets that it is known to be committed.
void set_inserting_transaction(Page& page, std::size_t item, std::uint32_t xid);

}  // namespace pgrehearse
