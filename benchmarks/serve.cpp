#include "serve.hpp"

#include <algorithm>
#include <iostream>
#include <memory>
#include <stdexcept>

#include "cli/bench.hpp"
#include "cli/files.hpp"
#include "cli/json.hpp"
#include "cli/options.hpp"

namespace softtricks::bench {
namespace {

using cli::Array;
using cli::Json;

/// A chain of calls on one batch: draw, the verbs in order, and the draw's gradient.
class Work {
 public:
  explicit Work(const Json& request) {
    problem_.structure = request.at("structure");
    problem_.shape = request.at("shape").get<std::vector<std::int64_t>>();
    problem_.utility = cli::read_array(request.at("utility"), "utility");
    problem_.cotangent = cli::read_array(request.at("cotangent"), "cotangent");
    if (request.contains("member")) problem_.member = cli::read_array(request["member"], "member");
    if (request.contains("other")) problem_.other = cli::read_array(request["other"], "other");
    problem_.regularizer = request.value("regularizer", problem_.regularizer);
    problem_.temperature = request.value("temperature", problem_.temperature);
    problem_.executor = cli::executor_of(request.at("threads"));
    verbs_ = request.at("verbs").get<std::vector<std::string>>();
    perturbation_ = request.value("perturbation", "");
    theta_ = problem_.utility;
    for (const auto& verb : verbs_) {
      problem_.verb = verb;
      outs_.emplace_back(problem_);
    }
    gradient_ = theta_;
  }

  void operator()() {
    if (!perturbation_.empty()) perturb("sample", problem_.utility);
    for (std::size_t i = 0; i < verbs_.size(); ++i) {
      problem_.verb = verbs_[i];
      Call call = cli::call_of(problem_, outs_[i]);
      call.seed = ++seed_;
      if (i > 0) call.member = outs_[i - 1].out.data();  // what relax_vjp reads
      cli::run_or_refuse(call);
    }
    if (!perturbation_.empty() && verbs_.back() == "relax_vjp") perturb("sample_vjp", gradient_);
  }

 private:
  void perturb(std::string_view verb, Array& out) {
    PerturbationCall call;
    call.verb = verb;
    call.perturbation = perturbation_;
    call.dtype = theta_.dtype();
    call.batch = cli::product(theta_.leading());
    call.size = theta_.width();
    call.theta = theta_.data();
    call.value = problem_.utility.data();
    call.cotangent = outs_.back().out.data();
    call.seed = ++seed_;
    call.out = out.data();
    call.executor = problem_.executor;
    const Status status = run(call);
    if (!status.ok()) throw std::runtime_error(status.message());
  }

  cli::Problem problem_;
  std::vector<std::string> verbs_;
  std::string perturbation_;
  Array theta_, gradient_;
  std::vector<cli::Room> outs_;
  std::uint64_t seed_ = 0;
};

}  // namespace

void serve() {
  std::vector<std::function<void()>> works;
  for (std::string line; std::getline(std::cin, line);) {
    const Json request = Json::parse(line);
    if (request.contains("time")) {
      std::cout << cli::fastest_seconds({works.at(request.at("time"))}, 1).front() << std::endl;
    } else {
      const auto work = std::make_shared<Work>(request);
      works.emplace_back([work] { (*work)(); });
      std::cout << works.size() - 1 << std::endl;
    }
  }
}

}  // namespace softtricks::bench
