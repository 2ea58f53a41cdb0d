// What pgBackRest 2.45 really printed, paths shortened; shared by the tests of the repository.
#pragma once

namespace pgrehearse::recorded {

// A full, a differential and an incremental set of one stanza.
inline constexpr char info[] =
    R"([{"archive":[{"database":{"id":1,"repo-key":1},"id":"15-1","max":"00000001000000000000000B","min":"000000010000000000000001"}],"backup":[)"
    R"({"archive":{"start":"000000010000000000000002","stop":"000000010000000000000002"},"backrest":{"format":5,"version":"2.45"},"database":{"id":1,"repo-key":1},"error":false,"info":{"delta":25974648,"repository":{"delta":6301058,"size":6301058},"size":25974648},"label":"20261121-011909F","lsn":{"start":"0/2000028","stop":"0/2000100"},"prior":null,"reference":null,"timestamp":{"start":1795223949,"stop":1795223950},"type":"full"},)"
    R"({"archive":{"start":"000000010000000000000004","stop":"000000010000000000000004"},"backrest":{"format":5,"version":"2.45"},"database":{"id":1,"repo-key":1},"error":false,"info":{"delta":2203952,"repository":{"delta":1045870,"size":6388233},"size":26138488},"label":"20261121-011909F_20261121-011911D","lsn":{"start":"0/4000028","stop":"0/4000100"},"prior":"20261121-011909F","reference":["20261121-011909F"],"timestamp":{"start":1795223951,"stop":1795223953},"type":"diff"},)"
    R"({"archive":{"start":"000000010000000000000006","stop":"000000010000000000000006"},"backrest":{"format":5,"version":"2.45"},"database":{"id":1,"repo-key":1},"error":false,"info":{"delta":2203952,"repository":{"delta":1046188,"size":6475690},"size":26302328},"label":"20261121-011909F_20261121-011914I","lsn":{"start":"0/6000028","stop":"0/6000100"},"prior":"20261121-011909F_20261121-011911D","reference":["20261121-011909F","20261121-011909F_20261121-011911D"],"timestamp":{"start":1795223954,"stop":1795223955},"type":"incr"}],)"
    R"("cipher":"none","db":[{"id":1,"repo-key":1,"system-id":7710428138534941480,"version":"15"}],"name":"orders","repo":[{"cipher":"none","key":1,"status":{"code":0,"message":"ok"}}],"status":{"code":0,"lock":{"backup":{"held":false}},"message":"ok"}}])";

// A stanza that is not in the repository, and a repository whose directory is not there.
inline constexpr char missing_stanza[] =
    R"([{"archive":[],"backup":[],"cipher":"none","db":[],"name":"orders","repo":[{"cipher":"none","key":1,"status":{"code":1,"message":"missing stanza path"}}],"status":{"code":1,"lock":{"backup":{"held":false}},"message":"missing stanza path"}}])";

// A repository without read permission.
inline constexpr char no_permission[] =
    R"([{"archive":[],"backup":[],"cipher":"none","db":[],"name":"orders","repo":[{"cipher":"none","key":1,"status":{"code":99,"message":"[PathOpenError] unable to list file info for path '/repo/backup': [13] Permission denied"}}],"status":{"code":99,"lock":{"backup":{"held":false}},"message":"other"}}])";

inline constexpr char unreachable[] =
    R"([{"archive":[],"backup":[],"cipher":"none","db":[],"name":"orders","repo":[{"cipher":"none","key":1,"status":{"code":99,"message":"[UnknownError] remote-0 process on 'nosuch.invalid' terminated unexpectedly [255]: ssh: Could not resolve hostname nosuch.invalid: Name or service not known"}}],"status":{"code":99,"lock":{"backup":{"held":false}},"message":"other"}}])";

// A wrong passphrase: what was decrypted is in the message, bytes and all.
inline constexpr char wrong_passphrase[] =
    R"([{"archive":[],"backup":[],"cipher":"aes-256-cbc","db":[],"name":"orders","repo":[{"cipher":"aes-256-cbc","key":1,"status":{"code":99,"message":"[FormatError] unable to load info file '/repo/backup/orders/backup.info' or '/repo/backup/orders/backup.info.copy':\nFormatError: key/value found outside of section at line 1: )"
    "\xfe"
    "I[#X2\xce\x02\xf7n"
    R"(\nHINT: backup.info cannot be opened and is required to perform a backup."}}],"status":{"code":99,"lock":{"backup":{"held":false}},"message":"other"}}])";

}  // namespace pgrehearse::recorded
