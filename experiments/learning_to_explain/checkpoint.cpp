#include "learning_to_explain/checkpoint.hpp"

#include <cmath>

namespace learning_to_explain {
namespace {

using experiments::Arrays;
using experiments::copy_into;
using Json = nlohmann::json;

}  // namespace

std::unique_ptr<Model> fresh_model(const Objective& objective, const Vocabulary& vocabulary) {
  const Options& o = objective.options;
  const ModelShape shape{.complex = o.encoder == "complex",
                         .words = vocabulary.size,
                         .embedding = o.embedding,
                         .hidden = o.hidden,
                         .predictor = o.predictor_hidden,
                         .scores = objective.selector.correlated() ? 2 : 1,
                         .dropout = o.dropout};
  return std::make_unique<Model>(
      shape, vocabulary.vectors,
      static_cast<std::uint64_t>(seed_for(objective.task, Purpose::start, 0)));
}

Training fresh_training(const Objective& objective, const Vocabulary& vocabulary) {
  Training training;
  training.model = fresh_model(objective, vocabulary);
  training.adam = experiments::Adam(training.model->parameters(), 0.999);
  return training;
}

void save_training(const Path& path, const Training& t, const experiments::CheckpointKey& key) {
  Arrays arrays;
  arrays.add("parameters", t.model->parameters().values());
  arrays.add("adam.mean", t.adam.mean);
  arrays.add("adam.square", t.adam.square);
  experiments::write_checkpoint(path, arrays, key,
                                {{"update", t.update},
                                 {"step", {t.step.relative, t.step.changed_mean}},
                                 {"loss", {t.loss_sum, t.loss_count}},
                                 {"seconds", t.seconds},
                                 {"best", {t.best_update, t.best_mse}},
                                 {"last", {t.evaluated, t.mse, t.precision}},
                                 {"metrics_length", t.metrics_length}});
}

Training load_training(const Path& path, const Objective& objective, const Vocabulary& vocabulary) {
  return experiments::reading(path, [&] {
    const auto file = experiments::read_checkpoint(path);
    const Json state = experiments::state_of(file);
    Training t = fresh_training(objective, vocabulary);
    copy_into(t.model->parameters().values(), file, "parameters");
    copy_into(t.adam.mean, file, "adam.mean");
    copy_into(t.adam.square, file, "adam.square");
    t.update = state.at("update");
    t.step.relative = state.at("step").at(0);
    t.step.changed_mean = state.at("step").at(1);
    t.loss_sum = state.at("loss").at(0);
    t.loss_count = state.at("loss").at(1);
    t.seconds = state.at("seconds");
    t.best_update = state.at("best").at(0);
    t.best_mse = state.at("best").at(1);
    t.evaluated = state.at("last").at(0);
    t.mse = state.at("last").at(1);
    // JSON has no NaN, the precision of a corpus without annotations.
    t.precision = state.at("last").at(2).is_number() ? double(state.at("last").at(2)) : NAN;
    t.metrics_length = state.at("metrics_length");
    return t;
  });
}

void save_model(const Path& path, const Model& model, std::int64_t update,
                const experiments::CheckpointKey& key) {
  Arrays arrays;
  arrays.add(model.parameters());
  experiments::write_checkpoint(path, arrays, key, {{"update", update}});
}

std::int64_t load_model(const Path& path, Model& model) {
  return experiments::reading(path, [&] {
    const auto file = experiments::read_checkpoint(path);
    copy_into(model.parameters(), file);
    return experiments::state_of(file).at("update").get<std::int64_t>();
  });
}

}  // namespace learning_to_explain
