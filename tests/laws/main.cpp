/// Every law on every subject, each engine in turn.
#include <gtest/gtest.h>

#include "batch.hpp"
#include "gibbs.hpp"
#include "members.hpp"
#include "relax.hpp"
#include "sample.hpp"

namespace softtricks::laws {
namespace {

using Law = std::function<void(const Subject&, const Engine&)>;

class LawTest : public testing::Test {
 public:
  LawTest(const Subject& subject, Law law) : subject_(subject), law_(std::move(law)) {}
  void TestBody() override {
    for (const auto& engine : subject_.engines) {
      SCOPED_TRACE(engine->name);
      law_(subject_, *engine);
    }
  }

 private:
  const Subject& subject_;
  const Law law_;
};

void enrol(const Subject& subject, const std::string& name, const Law& law) {
  testing::RegisterTest(subject.label().c_str(), name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                        [&subject, law]() -> LawTest* { return new LawTest(subject, law); });
}

/// A law that only makes sense where the structure offers the verb.
void enrol_for(const std::string& verb, const Subject& subject, const std::string& name, Law law) {
  if (subject.engines.front()->offers(verb, "gibbs_entropy")) enrol(subject, name, law);
}

const Engine& exact_engine(const Subject& subject, const Engine& like) {
  for (const auto& engine : subject.engines) {
    if (!engine->single() && engine->library == like.library) return *engine;
  }
  return like;
}

void enrol_relaxations(const Subject& subject) {
  for (const std::string& r : regularizers()) {
    if (!subject.engines.front()->offers("relax", r)) continue;
    enrol(subject, "relax_vjp_" + r,
          [r](const Subject& s, const Engine& e) { check_relax_vjp(s, e, exact_engine(s, e), r); });
    if (subject.engines.front()->offers("active_set", r)) {
      enrol(subject, "active_set_" + r,
            [r](const Subject& s, const Engine& e) { check_active_set(s, e, r); });
    }
    enrol(subject, "range_" + r, [r](const Subject& s, const Engine& e) { check_range(s, e, r); });
  }
  for (const RegularizerSubject& r : regularizer_subjects()) {
    if (!subject.engines.front()->offers("relax", r.name)) continue;
    enrol(subject, "relax_" + r.name,
          [&r](const Subject& s, const Engine& e) { check_relax(s, e, r); });
  }
  enrol_for("marginals", subject, "relax_gibbs_entropy", check_gibbs_relax);
}

void enrol_all() {
  for (const Subject& subject : subjects()) {
    enrol(subject, "argmax", check_argmax);
    enrol_for("log_partition", subject, "log_partition", check_log_partition);
    enrol_for("log_prob", subject, "log_prob", check_log_prob);
    enrol_for("entropy", subject, "entropy", check_entropy);
    enrol_for("kl", subject, "two_laws", check_two_laws);
    enrol_for("k_best", subject, "k_best", check_k_best);
    enrol_for("marginals", subject, "marginals", check_marginals);
    enrol_for("marginals", subject, "cold_marginals", check_cold_marginals);
    enrol_for("marginals_vjp", subject, "marginals_vjp", check_marginals_vjp);
    enrol_for("marginals_vjp", subject, "vjp_symmetry", check_vjp_symmetry);
    enrol_for("sample", subject, "sample", check_sample);
    enrol_for("sample", subject, "independent_samples", check_independent_samples);
    enrol_for("sample", subject, "short_samples", check_short_samples);
    enrol(subject, "batch", check_batch);
    enrol(subject, "bad_instances", check_bad_instances);
    enrol(subject, "lengths", check_lengths);
    enrol_relaxations(subject);
  }
}

}  // namespace
}  // namespace softtricks::laws

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  softtricks::laws::enrol_all();
  return RUN_ALL_TESTS();
}
