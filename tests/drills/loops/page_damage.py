"""Damages pages of relations and says whether a change can mean anything.

The layout of pages is that of bufpage.h, itemid.h and htup_details.h; the checksum that of
checksum_impl.h.
"""
import struct

SIZE = 8192
HEADER = 24
LANES = 32
PRIME = 16777619
OFFSETS = (
    0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
    0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
    0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
    0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756)
NORMAL = 1  # LP_NORMAL


def checksum(page, block):
    words = list(struct.unpack("<2048I", page))
    words[2] &= 0xFFFF0000  # pd_checksum
    sums = list(OFFSETS)
    rows = [words[at:at + LANES] for at in range(0, 2048, LANES)] + [[0] * LANES] * 2
    for row in rows:
        for lane in range(LANES):
            both = sums[lane] ^ row[lane]
            sums[lane] = (both * PRIME & 0xFFFFFFFF) ^ (both >> 17)
    total = 0
    for value in sums:
        total ^= value
    return (total ^ block) % 65535 + 1


def with_checksum(page, block):
    page = bytearray(page)
    if any(page):  # a page of zeros is valid
        struct.pack_into("<H", page, 8, checksum(bytes(page), block))
    return bytes(page)


def bounds(page):
    """pd_lower, pd_upper, pd_special."""
    return struct.unpack_from("<HHH", page, 12)


def items(page):
    """Offset in the page, length and flags of each line pointer."""
    lower, _, _ = bounds(page)
    found = []
    for at in range(HEADER, max(HEADER, min(lower, SIZE)), 4):
        word, = struct.unpack_from("<I", page, at)
        offset, length = word & 0x7FFF, word >> 17
        if HEADER <= offset and offset + length <= SIZE:  # not all pages have line pointers
            found.append((offset, length, word >> 15 & 3))
    return found


def row_byte(page, dice):
    """The offset of a byte inside the data of a row or index tuple; None without one."""
    rows = [(at, length) for at, length, flags in items(page) if flags == NORMAL and length > 8]
    if not rows:
        return None
    at, length = dice.choice(rows)
    header = 24 if length > 28 else 8
    return at + dice.randrange(min(header, length - 1), length)


def meaningless(before, after, heap):
    """Why no reader can notice the change; None if one could. Both are pages of one relation."""
    changed = [at for at in range(SIZE) if before[at] != after[at]]
    if not changed:
        return "the page is equal to the one that it replaces"
    lower, upper, _ = bounds(before)
    ignored = set(range(0, 10))  # pd_lsn, pd_checksum
    standard = HEADER <= lower <= upper <= SIZE
    if standard:
        ignored |= set(range(lower, upper))
    if all(at in ignored for at in changed):
        return "only the page's LSN, its checksum or its free space changed"
    if not (heap and standard):
        return None
    ignored |= {10, 11, 20, 21, 22, 23}  # pd_flags: hints; pd_prune_xid
    used = set()
    for at, length, flags in items(before):
        if flags != NORMAL or length < HEADER:
            continue
        used |= set(range(at, at + length))
        # Hint bits: HEAP_XMIN_COMMITTED ... HEAP_XMAX_INVALID, in the second byte of t_infomask.
        if before[at + 21] & 0xF0 == after[at + 21] & 0xF0:
            ignored.add(at + 21)
    ignored |= set(range(upper, SIZE)) - used
    if all(at in ignored for at in changed):
        return "only hint bits or the space of removed rows changed"
    return None


def damage_page(kind, pages, older, block, dice):
    """The new page, and in words what was done; None where the kind does not apply."""
    page = pages[block]
    if kind == "zeroed":
        return bytes(SIZE), "zeroed"
    if kind == "bit flip":
        at, bit = dice.randrange(SIZE), dice.randrange(8)
        if at in (8, 9):
            at = 10
        new = bytearray(page)
        new[at] ^= 1 << bit
        return with_checksum(new, block), f"bit {bit} of byte {at} flipped"
    if kind == "row byte":
        at = row_byte(page, dice)
        if at is None:
            return None
        new = bytearray(page)
        new[at] ^= dice.randrange(1, 256)
        return with_checksum(new, block), f"byte {at} in a row changed"
    if kind == "older version":
        if older is None or block >= len(older):
            return None
        return older[block], "an older version of itself"
    if kind == "other page":
        others = [number for number in range(len(pages)) if number != block]
        if not others:
            return None
        other = dice.choice(others)
        return with_checksum(pages[other], block), f"replaced by page {other}"
    raise ValueError(kind)


PAGE_KINDS = ("zeroed", "bit flip", "row byte", "older version", "other page")
