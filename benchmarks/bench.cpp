/// softtricks-bench: microseconds an instance of every structure and verb (and regularizer), and of
/// every perturbation, over typical shapes, in float and double, with one thread and with two. All
/// take turns, round after round; what counts is the shortest time of each.
#include "cli/bench.hpp"

#include <cstdio>
#include <memory>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/error.hpp"
#include "cli/files.hpp"
#include "cli/json.hpp"
#include "cli/options.hpp"
#include "serve.hpp"

namespace softtricks::bench {
namespace {

using cli::Json;

struct Options {
  int rounds = 30;
  std::vector<int> threads{1, 2};
  std::string out = cli::standard_stream;
  bool json = false, serves = false;
};

/// Everything to time: what the table says of it, and the work.
struct Entries {
  std::vector<Json> rows;
  std::vector<std::function<void()>> works;

  void add(const Json& row, std::function<void()> work) {
    rows.push_back(row);
    works.push_back(std::move(work));
  }
};

void add_structures(Entries& entries, int threads) {
  for (const auto& entry : cli::typical_cases({})) {
    entries.add({{"what", entry.structure},
                 {"shape", cli::shape_text(entry.structure, entry.shape)},
                 {"verb", entry.verb},
                 {"regularizer", entry.regularizer},
                 {"dtype", cli::dtype_name(entry.dtype)},
                 {"batch", entry.batch},
                 {"threads", threads}},
                cli::BenchRun(entry, cli::executor_of(threads)));
  }
}

struct Arrays {
  cli::Array theta, value, cotangent, out, out_value;
};

/// 256 rows of 128 numbers.
std::shared_ptr<Arrays> perturbation_arrays(const std::string& name, Dtype dtype) {
  const cli::Array theta = cli::zeros({256, 128}, dtype);
  return std::make_shared<Arrays>(
      Arrays{theta, cli::perturbed(theta, name, {}, 1, {}), theta, theta, theta});
}

PerturbationCall call_of(const std::string& name, const std::string& verb, Arrays& arrays) {
  PerturbationCall call;
  call.verb = verb;
  call.perturbation = name;
  call.dtype = arrays.theta.dtype();
  call.batch = arrays.theta.dims[0];
  call.size = arrays.theta.dims[1];
  call.theta = arrays.theta.data();
  call.value = arrays.value.data();
  call.cotangent = arrays.cotangent.data();
  call.out = arrays.out.data();
  call.out_value = arrays.out_value.data();
  return call;
}

void add_perturbations(Entries& entries, int threads) {
  for (const auto& [name, parameters, defaults, verbs] : perturbations()) {
    for (const auto& dtype : cli::dtype_names()) {
      const auto arrays = perturbation_arrays(name, cli::dtype_of(dtype));
      for (const auto& verb : verbs) {
        entries.add({{"what", name},
                     {"shape", "size=" + std::to_string(arrays->theta.dims[1])},
                     {"verb", verb},
                     {"regularizer", ""},
                     {"dtype", dtype},
                     {"batch", arrays->theta.dims[0]},
                     {"threads", threads}},
                    [=, name = name, verb = verb] {
                      PerturbationCall call = call_of(name, verb, *arrays);
                      call.executor = cli::executor_of(threads);
                      const Status status = run(call);
                      if (!status.ok()) cli::fail(status.message());
                    });
      }
    }
  }
}

std::string table_of(const std::vector<Json>& rows) {
  std::string text;
  for (const auto& [key, value] : rows.front().items()) text += key + "\t";
  text.back() = '\n';
  for (const auto& row : rows) {
    for (const auto& [key, value] : row.items()) {
      text += (value.is_string() ? value.get<std::string>() : value.dump()) + "\t";
    }
    text.back() = '\n';
  }
  return text;
}

void measure(const Options& options) {
  Entries entries;
  for (const int threads : options.threads) {
    add_structures(entries, threads);
    add_perturbations(entries, threads);
  }
  const auto seconds = cli::fastest_seconds(entries.works, options.rounds, [&](int round) {
    std::fprintf(stderr, "\rround %d of %d", round, options.rounds);
  });
  std::fputc('\n', stderr);
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    const double microseconds = 1e6 * seconds[i] / entries.rows[i].at("batch").get<double>();
    char rounded[40];
    std::snprintf(rounded, sizeof rounded, "%.3g", microseconds);
    entries.rows[i]["microseconds_an_instance"] = std::stod(rounded);
  }
  const Json document{{"instruction_set", instruction_set()},
                      {"rounds", options.rounds},
                      {"timings", entries.rows}};
  cli::write_file(options.out, options.json ? document.dump(1) + "\n" : table_of(entries.rows));
}

int main(int count, char** arguments) {
  Options options;
  CLI::App app("Microseconds an instance of every verb over typical shapes", "softtricks-bench");
  app.add_option("--rounds", options.rounds, "all works take turns in a round")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "numbers of threads")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--out", options.out, "a file; - for standard output")->capture_default_str();
  app.add_flag("--json", options.json, "JSON instead of tab-separated lines");
  app.add_flag("--serve", options.serves, "time works on request: see serve.hpp");
  try {
    app.parse(count, arguments);
    options.serves ? serve() : measure(options);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "softtricks-bench: %s\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace softtricks::bench

int main(int count, char** arguments) { return softtricks::bench::main(count, arguments); }
