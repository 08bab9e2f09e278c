#include "graph_layout/checkpoint.hpp"

#include "common/tensor_arrays.hpp"

namespace graph_layout {
namespace {

using experiments::Arrays;
using experiments::copy_into;
using experiments::Path;
using experiments::TensorFile;
using Json = nlohmann::json;

Json scalars(const Candidate& c) {
  return {{"average", {c.average.sum, c.average.weight}},
          {"loss", {c.loss_sum, c.loss_count}},
          {"trial", c.trial_sum}};
}

}  // namespace

std::unique_ptr<Model> fresh_model(const Options& o, const Task& task, std::int64_t scout) {
  const ModelShape shape{.nodes = o.nodes,
                         .frames = o.frames,
                         .hidden = o.hidden,
                         .message = o.message_hidden,
                         .scores = law_of(task.row) == EdgeLaw::independent_edges ? 2 : 1,
                         .score_scale = task.init_utility_scale,
                         .baseline = task.estimator == Estimator::nvil};
  auto model =
      std::make_unique<Model>(shape,
                              static_cast<std::uint64_t>(seed_for(
                                  task.seed, Purpose::start, o.mirror_scouts ? scout / 2 : scout)),
                              at::Device(o.device));
  if (o.mirror_scouts && scout % 2 == 1) model->mirror();
  return model;
}

Candidate fresh_candidate(const Options& options, const Task& task, std::int64_t scout) {
  Candidate candidate;
  candidate.model = fresh_model(options, task, scout);
  candidate.adam = Adam(candidate.model->parameters(), options.second_decay);
  return candidate;
}

void save_training(const Path& path, const Training& t, const CheckpointKey& key) {
  Arrays arrays;
  Json candidates = Json::array();
  for (std::size_t i = 0; i < t.candidates.size(); ++i) {
    const Candidate& c = t.candidates[i];
    const std::string name = "candidate" + std::to_string(i);
    arrays.add(name + ".parameters", c.model->parameters().values());
    arrays.add(name + ".moments", c.model->moments());
    arrays.add(name + ".adam.mean", c.adam.mean);
    arrays.add(name + ".adam.square", c.adam.square);
    candidates.push_back(scalars(c));
  }
  const Json state = {{"update", t.update},
                      {"seconds", t.seconds},
                      {"best_update", t.best_update},
                      {"best_elbo", t.best_elbo},
                      {"elbo", t.elbo},
                      {"precision", t.precision},
                      {"evaluated", t.evaluated},
                      {"metrics_length", t.metrics_length},
                      {"scout_losses", t.scout_losses},
                      {"candidates", candidates}};
  experiments::write_checkpoint(path, arrays, key, state);
}

Training load_training(const Path& path, const Options& options, const Task& task) {
  return experiments::reading(path, [&] {
    const TensorFile file = experiments::read_checkpoint(path);
    const Json state = experiments::state_of(file);
    Training t;
    t.update = state.at("update");
    t.seconds = state.at("seconds");
    t.best_update = state.at("best_update");
    t.best_elbo = state.at("best_elbo");
    t.elbo = state.at("elbo");
    t.precision = state.at("precision");
    t.evaluated = state.at("evaluated");
    t.metrics_length = state.at("metrics_length");
    t.scout_losses = state.at("scout_losses").get<std::vector<double>>();
    for (const Json& entry : state.at("candidates")) {
      const std::string name = "candidate" + std::to_string(t.candidates.size());
      Candidate c = fresh_candidate(options, task, 0);
      copy_into(c.model->parameters().values(), file, name + ".parameters");
      copy_into(c.model->moments(), file, name + ".moments");
      copy_into(c.adam.mean, file, name + ".adam.mean");
      copy_into(c.adam.square, file, name + ".adam.square");
      c.average = {entry.at("average").at(0), entry.at("average").at(1)};
      c.loss_sum = entry.at("loss").at(0);
      c.loss_count = entry.at("loss").at(1);
      c.trial_sum = entry.at("trial");
      t.candidates.push_back(std::move(c));
    }
    return t;
  });
}

void save_model(const Path& path, const Model& model, std::int64_t update,
                const CheckpointKey& key) {
  Arrays arrays;
  arrays.add(model.parameters());
  arrays.add("encoder.moments", model.moments());
  experiments::write_checkpoint(path, arrays, key, {{"update", update}});
}

std::int64_t load_model(const Path& path, Model& model) {
  return experiments::reading(path, [&] {
    const TensorFile file = experiments::read_checkpoint(path);
    copy_into(model.parameters(), file);
    copy_into(model.moments(), file, "encoder.moments");
    return experiments::state_of(file).at("update").get<std::int64_t>();
  });
}

}  // namespace graph_layout
