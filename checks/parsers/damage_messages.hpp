// What PostgreSQL says when it meets damaged data. Its SQLSTATE would tell, but neither the log nor
// pg_amcheck shows it.
#pragma once

#include <string_view>

namespace pgrehearse {

// "invalid page in block 7 of relation base/5/16464", "could not open file \"base/5/16410\": No
// such file or directory", ... : the data is damaged or missing, whoever asked for it.
bool tells_of_damage(std::string_view message);

// WAL that was archived whole and is not whole: recovery takes it for the end of the archive.
bool tells_of_damaged_wal(std::string_view message);

}  // namespace pgrehearse
