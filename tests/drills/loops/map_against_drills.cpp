// Verifies `pgrehearse map`: damages archives, picks random times and positions in and around the
// range of the map, and runs a drill to each. The map must show a target as recoverable if and only
// if a drill reaches it with proof. CTest runs a few; by hand, run two hundred:
//   map_against_drills --count 200 --seed 7
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>

#include "harness/process/boost_command_runner.hpp"
#include "harness/report/report.hpp"
#include "tests/drills/loops/random_targets.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

// In memory if there is enough space: a container's 64 MB are not enough.
fs::path usual_place() {
  constexpr std::uintmax_t enough = std::uintmax_t{2} << 30U;
  std::error_code none;
  const auto room = fs::space("/dev/shm", none).available;
  return !none && room >= enough ? "/dev/shm" : "/var/tmp";
}

struct Options {
  std::size_t count = 8;
  std::uint64_t seed = 1;
  std::size_t per_archive = 4;  // targets drawn in one damaged archive
  fs::path directory = usual_place();
  std::string binary = PGREHEARSE_BINARY;
  bool show = false;
};

struct Drill {
  int exit_code = -1;
  std::string words;  // what it found
};

struct Tally {
  std::size_t targets = 0;
  std::size_t drills = 0;
  std::size_t landed = 0;
  std::size_t refused = 0;
  std::size_t disagreements = 0;
  std::size_t unknown = 0;
};

class Comparison {
 public:
  explicit Comparison(Options options) : options_(std::move(options)), dice_(options_.seed) {
    std::string name = (options_.directory / "pgrehearse-map-XXXXXX").native();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    scratch_ = name;
    fs::permissions(scratch_, fs::perms(0755));
  }

  int run() {
    auto written = write_archive(scratch_ / "laboratory", runner_);
    std::cout << fmt::format("seed {}: {} targets, {} an archive\n", options_.seed, options_.count,
                             options_.per_archive);
    // The undamaged archive has the largest map: targets are picked from it.
    for (std::size_t kind = 0; tally_.targets < options_.count; ++kind) {
      const auto archive = damage_archive(written, kind, dice_, scratch_ / "archives", runner_);
      compare(written, archive);
      fs::remove_all(archive.configuration.parent_path());
    }
    written.laboratory.reset();
    std::cout << fmt::format(
        "{} targets, {} drills: {} landed as the map says, {} were refused as the map says, {} "
        "disagreements, {} of which the map says nothing\n",
        tally_.targets, tally_.drills, tally_.landed, tally_.refused, tally_.disagreements,
        tally_.unknown);
    const bool passed = tally_.disagreements == 0 && tally_.unknown * 10 <= tally_.targets;
    if (passed) {
      fs::remove_all(scratch_);
    } else {
      std::cout << "left for you to look at: " << scratch_.native() << '\n';
    }
    return passed ? 0 : 1;
  }

 private:
  void compare(const WrittenArchive& written, const DamagedArchive& archive) {
    const auto map = read_map(build_map(written, archive, "json"));
    if (whole_.timelines.empty()) whole_ = map;
    std::cout << fmt::format("\n{}: {}\n", archive.name, archive.damage);
    if (options_.show) std::cout << build_map(written, archive, "text") << '\n';
    for (std::size_t drawn = 0; drawn < options_.per_archive && tally_.targets < options_.count;
         ++drawn) {
      // Edges are those of this map; other targets are picked from the undamaged map.
      auto space = map;
      space.begin = whole_.begin;
      space.end = whole_.end;
      compare(written, archive, map, draw_target(written, space, dice_));
    }
  }

  void compare(const WrittenArchive& written, const DamagedArchive& archive, const ReadMap& map,
               const DrawnTarget& target) {
    ++tally_.targets;
    const auto prediction = predict(map, target);
    if (prediction.unknown) {
      ++tally_.unknown;
      return say(target, "the map says nothing", "");
    }
    if (prediction.set) {
      const auto drill = run_drill(written, archive, target, *prediction.set);
      const bool agrees = drill.exit_code == 0;
      ++(agrees ? tally_.landed : tally_.disagreements);
      return say(target, "recoverable from " + *prediction.set,
                 agrees ? "landed" : disagreement(map, drill));
    }
    auto sets = candidates(map, target);
    if (sets.empty()) sets.emplace_back("latest");
    for (const auto& set : sets) {
      const auto drill = run_drill(written, archive, target, set);
      if (drill.exit_code == 1) continue;
      ++tally_.disagreements;
      return say(target, "not recoverable", disagreement(map, drill) + " from " + set);
    }
    ++tally_.refused;
    say(target, "not recoverable", fmt::format("{} drills fail", sets.size()));
  }

  void say(const DrawnTarget& target, const std::string& map, const std::string& drills) const {
    std::cout << fmt::format("{:4}  {:52} map: {:45} {}\n", tally_.targets, to_text(target), map,
                             drills);
    std::cout.flush();
  }

  std::string disagreement(const ReadMap& map, const Drill& drill) {
    std::ofstream(scratch_ / fmt::format("map-{}.json", tally_.targets)) << map.text;
    return fmt::format("DISAGREES: exit {}, {}", drill.exit_code, drill.words);
  }

  [[nodiscard]] std::string scenario(const WrittenArchive& written, const DamagedArchive& archive,
                                     const std::string& set) const {
    return fmt::format(
        "name: map-against-drills\nrepository: {{ stanza: {}, config: {}, backup: {} }}\n"
        "sandbox: {{ type: local, run_as: {} }}\n",
        written.laboratory->options().stanza, archive.configuration.native(), set,
        written.laboratory->account().name);
  }

  std::string build_map(const WrittenArchive& written, const DamagedArchive& archive,
                        const std::string& format) {
    const auto file = scratch_ / "map.yaml";
    std::ofstream(file) << scenario(written, archive, "latest");
    const auto result = runner_.run(
        {.program = options_.binary,
         .arguments = {"map", file, "--verify", "--format", format, "--state", scratch_ / "state"}},
        {});
    if (result.exit_code < 0 || result.exit_code > 2) {
      throw std::runtime_error(fmt::format("map: {}", result.error_output));
    }
    return result.output;
  }

  Drill run_drill(const WrittenArchive& written, const DamagedArchive& archive,
                  const DrawnTarget& target, const std::string& set) {
    ++tally_.drills;
    const auto file = scratch_ / "scenario.yaml";
    const auto json = scratch_ / "report.json";
    fs::remove(json);
    // `landing` and `startup` always run; nothing else may fail the drill.
    std::ofstream(file) << scenario(written, archive, set) << to_yaml(target)
                        << "checks: [landing]\n";
    const auto result = runner_.run(
        {.program = options_.binary,
         .arguments = {"run", file, "--json", json, "--state", scratch_ / "state", "--quiet"},
         .timeout = std::chrono::minutes(5)},
        {});
    fs::remove_all(scratch_ / "state" / "runs");
    Drill drill{.exit_code = result.exit_code, .words = result.error_output};
    if (std::ifstream in(json); in) {
      const auto report = report_from_json({std::istreambuf_iterator<char>(in), {}});
      drill.words = fmt::format("{}: {}", text_of(report.diagnosis.code), report.diagnosis.summary);
    }
    return drill;
  }

  Options options_;
  BoostCommandRunner runner_;
  Dice dice_;
  fs::path scratch_;
  ReadMap whole_;
  Tally tally_;
};

}  // namespace
}  // namespace pgrehearse

int main(int argc, char** argv) {
  try {
    pgrehearse::Options options;
    CLI::App app("the map of damaged archives against drills");
    app.add_option("--count", options.count, "targets");
    app.add_option("--seed", options.seed);
    app.add_option("--per-archive", options.per_archive, "targets in one damaged archive");
    app.add_option("--directory", options.directory, "for the laboratory and the sandboxes");
    app.add_option("--binary", options.binary, "of pgrehearse");
    app.add_flag("--show", options.show, "print each map");
    CLI11_PARSE(app, argc, argv);
    return pgrehearse::Comparison(options).run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 2;
  }
}
