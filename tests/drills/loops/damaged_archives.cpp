#include "tests/drills/loops/damaged_archives.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "harness/common/text.hpp"
#include "harness/faults/damage/repository_files.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds stretch{4};  // of work between two events

// Commits of about ten kilobytes, several per WAL segment; the pauses leave time between them.
void work(Connection& connection) {
  const auto end = std::chrono::steady_clock::now() + stretch;
  while (std::chrono::steady_clock::now() < end) {
    connection.query(
        "insert into public.work select g, repeat('x', 400) from generate_series(1, 300) g");
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
  }
}

void check(const CommandResult& result, std::string_view what) {
  if (result.succeeded()) return;
  throw std::runtime_error(
      fmt::format("{} failed: {}{}", what, result.output, result.error_output));
}

// A standby of the laboratory's primary that was promoted and archives into the same stanza.
class SecondServer {
 public:
  SecondServer(Laboratory& laboratory, CommandRunner& runner)
      : laboratory_(laboratory),
        runner_(runner),
        data_(laboratory.paths().root / "second"),
        sockets_(laboratory.paths().root / "second-sockets") {
    run("mkdir", {"-m", "0700", sockets_});
    run(laboratory.program("pg_basebackup"),
        {"--pgdata", data_, "--host", laboratory.paths().sockets, "--port=5432",
         "--username=postgres", "--wal-method=stream", "--checkpoint=fast",
         "--write-recovery-conf"});
    std::ofstream(data_ / "postgresql.conf", std::ios::app) << fmt::format(
        "unix_socket_directories = '{}'\narchive_command = 'pgbackrest --config={} --stanza={} "
        "--pg1-path={} archive-push \"%p\"'\n",
        sockets_.native(), laboratory.paths().configuration.native(), laboratory.options().stanza,
        data_.native());
    run(laboratory.program("pg_ctl"), {"start", "--wait", "--timeout=60", "--pgdata", data_,
                                       "--log", laboratory.paths().logs / "second.log"});
  }

  void promote(Connection& primary) {
    const auto written = primary.query("select pg_current_wal_flush_lsn()").text(0, 0);
    auto here = connect();
    while (here.query(fmt::format("select pg_last_wal_replay_lsn() >= '{}'", written)).text(0, 0) !=
           "t") {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    run(laboratory_.program("pg_ctl"), {"promote", "--wait", "--pgdata", data_});
    // pgBackRest reads the timeline from pg_control, which the first checkpoint updates.
    here.query("checkpoint");
  }

  [[nodiscard]] Connection connect() const {
    return Connection::open(
        {{"host", sockets_}, {"port", "5432"}, {"user", "postgres"}, {"dbname", "postgres"}}, {});
  }

  void back_up() {
    laboratory_.run_pgbackrest({"--pg1-path=" + data_.native(),
                                "--pg1-socket-path=" + sockets_.native(), "--type=full", "backup"},
                               {});
  }

  void stop() {
    run(laboratory_.program("pg_ctl"),
        {"stop", "--wait", "--timeout=60", "--mode=fast", "--pgdata", data_});
  }

 private:
  void run(const std::string& program, std::vector<std::string> arguments) {
    check(runner_.run(laboratory_.command(program, std::move(arguments)), {}), program);
  }

  Laboratory& laboratory_;
  CommandRunner& runner_;
  fs::path data_;
  fs::path sockets_;
};

// A copy of the repository while it is damaged.
struct Copy {
  InjectionSite& site;
  Dice& dice;
  CommandRunner& runner;
  std::string damage;

  // The archived segments by name: those of timeline 1 first.
  [[nodiscard]] std::vector<fs::path> segments() const {
    auto files = archive_files(site);
    std::erase_if(files, [](const auto& file) { return !is_segment(file); });
    std::ranges::sort(files, {}, [](const auto& file) { return file.filename(); });
    return files;
  }
  [[nodiscard]] std::vector<fs::path> segments(std::string_view timeline) const {
    auto files = segments();
    std::erase_if(
        files, [&](const auto& file) { return !file.filename().native().starts_with(timeline); });
    return files;
  }
  // Any segment except the first and the last.
  fs::path any_of(const std::vector<fs::path>& files) {
    std::uniform_int_distribution<std::size_t> any(files.size() / 8,
                                                   files.size() - 1 - files.size() / 8);
    return files.at(any(dice));
  }
  void hit(const fs::path& file) { damage += " " + file.filename().native().substr(0, 24); }
  void remove(const fs::path& file) {
    hit(file);
    fs::remove(file);
  }
};

constexpr std::string_view first = "00000001";
constexpr std::string_view second = "00000002";

void truncate(Copy& copy) {
  const auto file = copy.any_of(copy.segments());
  copy.hit(file);
  fs::resize_file(file, fs::file_size(file) / 2);
}

void flip(Copy& copy) {
  const auto file = copy.any_of(copy.segments());
  copy.hit(file);
  flip_byte(file, fs::file_size(file) / 2);
}

void duplicate(Copy& copy) {
  const auto file = copy.any_of(copy.segments());
  const auto other = copy.segments().front();
  copy.hit(file);
  fs::copy_file(other, file.parent_path() / (file.filename().native().substr(0, 24) +
                                             other.filename().native().substr(24)));
  give_to(copy.site, file.parent_path());
}

void lose_history(Copy& copy) {
  for (const auto& file : archive_files(copy.site)) {
    if (file.filename().native().ends_with(".history")) copy.remove(file);
  }
}

void expire(Copy& copy) {
  std::vector<std::string> sets;
  const auto top = copy.site.repository / "backup" / copy.site.primary->options().stanza;
  for (const auto& entry : fs::directory_iterator(top)) {
    if (entry.is_directory() && entry.path().filename().native().ends_with("F")) {
      sets.push_back(entry.path().filename());
    }
  }
  std::ranges::sort(sets);
  std::uniform_int_distribution<std::size_t> any(0, 1);
  const auto& set = sets.at(any(copy.dice));
  copy.damage += " " + set;
  const auto& laboratory = *copy.site.primary;
  check(copy.runner.run(
            laboratory.command("pgbackrest", {"--config=" + copy.site.configuration.native(),
                                              "--stanza=" + laboratory.options().stanza,
                                              "--set=" + set, "expire"}),
            {}),
        "expire");
}

struct Kind {
  std::string_view name;
  std::string_view damage;
  void (*inject)(Copy& copy);
};

constexpr auto kinds = std::to_array<Kind>({
    {"whole", "nothing", [](Copy& /*copy*/) {}},
    {"gap", "segment missing:", [](Copy& copy) { copy.remove(copy.any_of(copy.segments())); }},
    {"truncated", "segment cut in half:", truncate},
    {"no-history", "history file missing:", lose_history},
    {"expired-set", "`pgbackrest expire` of set", expire},
    {"switch", "the new timeline's first segment missing:",
     [](Copy& copy) { copy.remove(copy.segments(second).front()); }},
    {"early-wal", "the oldest segments missing, up to",
     [](Copy& copy) {
       const auto files = copy.segments(first);
       const auto last = std::ranges::find(files, copy.any_of(files));
       std::for_each(files.begin(), last, [](const auto& file) { fs::remove(file); });
       copy.remove(*last);
     }},
    {"holes", "three segments missing:",
     [](Copy& copy) {
       for (int hole = 0; hole < 3; ++hole) copy.remove(copy.any_of(copy.segments()));
     }},
    {"flipped", "a bit turned in segment", flip},
    {"duplicate", "segment there twice with different content:", duplicate},
    {"history-only", "no segment of the new timeline, from",
     [](Copy& copy) {
       const auto files = copy.segments(second);
       copy.hit(files.front());
       for (const auto& file : files) fs::remove(file);
     }},
});

}  // namespace

WrittenArchive write_archive(const fs::path& directory, CommandRunner& runner) {
  WrittenArchive written{
      .laboratory = Laboratory::create(
          {.id = "primary", .state = directory, .wal_segment_size = Bytes{std::uint64_t{1} << 20U}},
          runner, {})};
  auto& laboratory = *written.laboratory;
  laboratory.start({});
  laboratory.create_stanza({});
  auto primary = laboratory.connect("postgres", {});
  primary.query("create table public.work (id integer, filler text)");
  laboratory.back_up(BackupType::full, {});
  written.began = std::chrono::system_clock::now();
  work(primary);
  laboratory.back_up(BackupType::incremental, {});
  work(primary);
  laboratory.back_up(BackupType::full, {});
  work(primary);
  SecondServer other(laboratory, runner);
  other.promote(primary);
  auto promoted = other.connect();
  written.forked = std::chrono::system_clock::now();
  work(primary);
  laboratory.switch_wal_and_wait({});
  laboratory.stop({});
  work(promoted);
  other.back_up();
  work(promoted);
  promoted.query("select pg_switch_wal()");
  other.stop();
  written.ended = std::chrono::system_clock::now();
  return written;
}

std::size_t damage_kinds() { return kinds.size(); }

DamagedArchive damage_archive(const WrittenArchive& written, std::size_t kind, Dice& dice,
                              const fs::path& directory, CommandRunner& runner) {
  auto& laboratory = *written.laboratory;
  const auto& chosen = kinds.at(kind % kinds.size());
  auto paths = laboratory.paths();
  const auto own = directory / fmt::format("{}-{}", kind, chosen.name);
  fs::create_directories(own);
  paths.repository = own / "repository";
  check(runner.run(
            {.program = "cp", .arguments = {"-a", laboratory.paths().repository, paths.repository}},
            {}),
        "cp");
  const auto configuration = own / "pgbackrest.conf";
  std::ofstream(configuration) << laboratory_pgbackrest_conf(laboratory.options(), paths, false);
  InjectionSite site{.primary = &laboratory,
                     .directory = own,
                     .repository = paths.repository,
                     .configuration = configuration,
                     .traits = {.stanza = laboratory.options().stanza,
                                .segment_size = laboratory.options().wal_segment_size.count},
                     .account = laboratory.account(),
                     .runner = runner,
                     .stop = {}};
  Copy copy{.site = site, .dice = dice, .runner = runner, .damage = std::string(chosen.damage)};
  chosen.inject(copy);
  return {.name = std::string(chosen.name), .damage = copy.damage, .configuration = configuration};
}

}  // namespace pgrehearse
