#include "bench_command.hpp"

#include <cstdio>

#include <unistd.h>

#include "bench.hpp"
#include "error.hpp"
#include "files.hpp"
#include "json.hpp"
#include "options.hpp"

namespace softtricks::cli {
namespace {

struct BenchRequest {
  BenchOptions options;
  int threads = 1, rounds = 10;
  bool json = false;
};

struct Timings {
  std::vector<BenchCase> cases;
  std::vector<double> microseconds;  // an instance
  int threads;
};

std::string rounded_text(double microseconds) {
  char text[40];
  std::snprintf(text, sizeof text, "%.4g", microseconds);
  return text;
}

std::string table(const Timings& timings) {
  std::string text =
      "structure\tshape\tverb\tregularizer\tdtype\tbatch\tthreads\tmicroseconds_an_instance\n";
  for (std::size_t i = 0; i < timings.cases.size(); ++i) {
    const BenchCase& c = timings.cases[i];
    text += joined({c.structure, shape_text(c.structure, c.shape), c.verb, c.regularizer,
                    dtype_name(c.dtype), std::to_string(c.batch), std::to_string(timings.threads),
                    rounded_text(timings.microseconds[i])},
                   "\t") +
            "\n";
  }
  return text;
}

std::string document(const Timings& timings) {
  Json rows = Json::array();
  for (std::size_t i = 0; i < timings.cases.size(); ++i) {
    const BenchCase& c = timings.cases[i];
    rows.push_back({{"structure", c.structure},
                    {"shape", shape_json(c.structure, c.shape)},
                    {"verb", c.verb},
                    {"regularizer", c.regularizer},
                    {"dtype", dtype_name(c.dtype)},
                    {"batch", c.batch},
                    {"threads", timings.threads},
                    {"microseconds_an_instance", timings.microseconds[i]}});
  }
  return Json{{"instruction_set", instruction_set()}, {"timings", rows}}.dump() + "\n";
}

void bench(const BenchRequest& request) {
  const BenchOptions& options = request.options;
  Timings timings{typical_cases(options), {}, request.threads};
  if (timings.cases.empty()) {
    refuse("bench", "no structure has the shape, the verb and the type that were asked for");
  }
  const bool watched = isatty(STDERR_FILENO);
  timings.microseconds = microseconds_an_instance(
      timings.cases, executor_of(request.threads), request.rounds, [&](int round) {
        if (watched) std::fprintf(stderr, "\rbench: round %d of %d", round, request.rounds);
      });
  if (watched) std::fputc('\n', stderr);
  write_file(standard_stream, request.json ? document(timings) : table(timings));
}

}  // namespace

void add_bench(CLI::App& app) {
  CLI::App* const command = add_command(
      app, "bench", "Microseconds an instance of every verb, the least of several rounds",
      "softtricks bench --structure spanning_tree --nodes 10 --dtype float32");
  const auto request = std::make_shared<BenchRequest>();
  BenchOptions& options = request->options;
  add_choices(*command, "--structure", options.structures, structure_names(),
              "only these (default: all)");
  add_choices(*command, "--verb", options.verbs, verb_names(), "only these (default: all)");
  add_choices(*command, "--dtype", options.dtypes, dtype_names(), "only these (default: all)");
  add_shape(*command, options.fields, "only structures with these fields, in this shape");
  add_integer(
      *command, "--batch", 1, 1 << 24, [&options](std::int64_t batch) { options.batch = batch; },
      "instances a call (default: some 32 thousand utilities, 16 to 1024 instances)");
  add_number(*command, "--temperature", options.temperature,
             "of soft samples; utilities are normal with deviation 1 (default: 1)");
  add_integer(
      *command, "--rounds", 1, 1000000,
      [request = request.get()](std::int64_t rounds) {
        request->rounds = static_cast<int>(rounds);
      },
      "all cases take turns in a round (default: 10)");
  add_threads(*command, request->threads, "threads (default: 1)");
  command->add_flag("--json", request->json, "JSON instead of tab-separated lines");
  command->callback([request] { bench(*request); });
}

}  // namespace softtricks::cli
