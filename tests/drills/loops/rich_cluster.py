"""A PostgreSQL cluster with a pgBackRest stanza, and copies of its backup in which one file of the
cluster was changed as if it had been damaged before the backup: the manifest agrees with it."""
import contextlib
import hashlib
import json
import os
import pathlib
import pwd
import shutil
import subprocess

STANZA = "rich"


def account():
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


def as_owner():
    owner = account()
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}


def give(path):
    owner = account()
    if owner:
        os.chown(path, owner.pw_uid, owner.pw_gid)


class Cluster:
    """Running until remove(). `root` exists and may be entered by everybody."""

    def __init__(self, root, binaries):
        self.root, self.binaries = root, binaries
        self.data, self.repository = root / "data", root / "repository"
        self.sockets, self.configuration = root / "s", root / "pgbackrest.conf"
        for directory in (self.repository, self.sockets, root / "log", root / "lock", root / "spool"):
            directory.mkdir()
            give(directory)
        self.run("initdb", "--pgdata", self.data, "--username=postgres", "--auth=trust", "--no-sync",
                 "--data-checksums", "--locale=C.UTF-8", "--encoding=UTF8", "--wal-segsize=1")
        self.write_configuration(self.configuration, self.repository)
        archive = f"pgbackrest --config={self.configuration} --stanza={STANZA} archive-push %p"
        settings = {"listen_addresses": "''", "unix_socket_directories": f"'{self.sockets}'",
                    "fsync": "off", "autovacuum": "off", "wal_level": "logical", "archive_mode": "on",
                    "archive_command": f"'{archive}'", "jit": "off", "max_wal_size": "2GB",
                    "checkpoint_timeout": "1h"}
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())
        self.run("pg_ctl", "start", "-w", "-D", self.data, "-l", root / "log" / "postgresql.log")

    def write_configuration(self, file, repository):
        file.write_text(
            f"[global]\nrepo1-path={repository}\ncompress-type=none\nstart-fast=y\n"
            f"repo1-retention-full=9\nlog-level-console=warn\nlog-level-file=off\n"
            f"log-path={self.root}/log\nlock-path={self.root}/lock\nspool-path={self.root}/spool\n"
            f"[{STANZA}]\npg1-path={self.data}\npg1-socket-path={self.sockets}\n"
            "pg1-user=postgres\n", encoding="utf-8")
        give(file)

    def run(self, program, *arguments):
        directory = self.binaries if program != "pgbackrest" else pathlib.Path("/usr/bin")
        subprocess.run([directory / program, *map(str, arguments)], check=True, cwd=self.root,
                       stdout=subprocess.DEVNULL, **as_owner())

    def pgbackrest(self, *arguments):
        self.run("pgbackrest", f"--config={self.configuration}", f"--stanza={STANZA}", *arguments)

    def dsn(self, database="postgres", user="postgres"):
        return f"host={self.sockets} user={user} dbname={database}"

    def sql(self, database, *statements, host=None):
        return sql(host or self.sockets, database, *statements)

    def script(self, file, database="postgres", **variables):
        given = [part for name, value in variables.items() for part in ("-v", f"{name}={value}")]
        subprocess.run(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", self.dsn(database), *given, "-f",
                        file], check=True, stdout=subprocess.DEVNULL)

    def databases(self):
        return self.sql("postgres", "select datname from pg_database where datallowconn").split("\n")

    def switch_wal(self):
        """Waits until the segment is in the repository."""
        segment = self.sql("postgres", "select pg_walfile_name(pg_switch_wal())")
        self.sql("postgres", "do $$ begin for i in 1..600 loop perform pg_stat_clear_snapshot(); "
                 f"exit when (select last_archived_wal >= '{segment}' from pg_stat_archiver); "
                 "perform pg_sleep(0.1); end loop; end $$")

    def remove(self):
        with contextlib.suppress(subprocess.CalledProcessError):
            self.run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", self.data)
        shutil.rmtree(self.root, ignore_errors=True)


def sql(host, database, *statements):
    """The rows of all statements, unaligned."""
    given = [part for statement in statements for part in ("-c", statement)]
    result = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d",
                             f"host={host} user=postgres dbname={database}", *given],
                            capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(result.stderr.strip())
    return result.stdout.strip()


class BackupCopy:
    """A copy of the repository below `directory`: hard links until a file is replaced."""

    def __init__(self, cluster, directory):
        self.repository, self.configuration = directory / "repository", directory / "pgbackrest.conf"
        directory.mkdir()
        give(directory)
        subprocess.run(["cp", "-al", cluster.repository, self.repository], check=True)
        cluster.write_configuration(self.configuration, self.repository)
        backups = self.repository / "backup" / STANZA
        self.backup = backups / os.readlink(backups / "latest")

    def contains(self, name):
        return (self.backup / "pg_data" / name).exists()

    def replace(self, name, content):
        """A file of the cluster: "base/5/1259"."""
        key = f"pg_data/{name}"
        self._write(self.backup / key, content)
        for manifest in ("backup.manifest", "backup.manifest.copy"):
            lines = (self.backup / manifest).read_text(encoding="utf-8").split("\n")
            at = next(at for at, line in enumerate(lines) if line.startswith(key + "="))
            entry = json.loads(lines[at][len(key) + 1:])
            entry["size"] = len(content)
            entry.pop("repo-size", None)
            entry["checksum"] = hashlib.sha1(content).hexdigest()
            lines[at] = f"{key}={compact(entry)}"
            seal(lines)
            self._write(self.backup / manifest, "\n".join(lines).encode())

    @staticmethod
    def _write(path, content):
        path.unlink()  # a hard link to the original
        path.write_bytes(content)
        path.chmod(0o640)
        give(path)


def compact(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def seal(lines):
    """Replaces the checksum of a manifest: SHA-1 of its sections as one JSON text."""
    text, section, open_section, at = "{", None, None, None
    for number, line in enumerate(lines):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif "=" in line:
            key, value = line.split("=", 1)
            if key == "backrest-checksum":
                at = number
                continue
            if section != open_section:
                text += ("}," if open_section else "") + f'"{section}":{{'
            else:
                text += ","
            text += f"{json.dumps(key, ensure_ascii=False)}:{value}"
            open_section = section
    lines[at] = f'backrest-checksum="{hashlib.sha1((text + "}}").encode()).hexdigest()}"'
