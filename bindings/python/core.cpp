/// The module softtricks._core: `run` of registry.hpp on memory that Python objects lend, and the
/// registry itself. Shapes and types are checked in Python, before (softtricks/_numpy.py).
#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "softtricks/registry.hpp"

namespace nb = nanobind;

namespace softtricks {
namespace {

void demand(const Status& status) {
  if (!status.ok()) throw nb::value_error(status.message().c_str());
}

/// An array's memory, lent for a call: contiguous, or Python's own error. None has none.
class Lent {
 public:
  Lent(nb::handle object, int flags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)
      : lent_(!object.is_none()) {
    if (lent_ && PyObject_GetBuffer(object.ptr(), &view_, flags) != 0) throw nb::python_error();
  }
  ~Lent() {
    if (lent_) PyBuffer_Release(&view_);
  }
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;

  void* data() const { return lent_ ? view_.buf : nullptr; }
  const std::int64_t* integers() const { return static_cast<const std::int64_t*>(data()); }
  Dtype dtype() const { return view_.itemsize == 4 ? Dtype::float32 : Dtype::float64; }
  std::int64_t count() const { return view_.len / view_.itemsize; }

 private:
  Py_buffer view_ = {};
  bool lent_;
};

class Written : public Lent {
 public:
  explicit Written(nb::handle object) : Lent(object, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE) {}
};

std::atomic<int> threads{0};  // 0: as many as there are cores

int thread_count() {
  const int asked = threads;
  return asked > 0 ? asked : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

template <class AnyCall>
void run_unlocked(AnyCall& call) {
  call.executor = thread_pool(thread_count());
  const auto status = [&] {
    const nb::gil_scoped_release others_may_run;
    return run(call);
  }();
  demand(status);
}

void solve(const std::string& verb, const std::string& structure, std::vector<std::int64_t> shape,
           std::int64_t batch, nb::handle utility, nb::handle out, nb::handle out_value,
           nb::handle lengths, nb::handle counts, nb::handle member, nb::handle cotangent,
           nb::handle other, const std::string& regularizer, double temperature,
           std::optional<double> utility_range, std::int64_t seed, std::int64_t offset,
           std::int64_t count) {
  const Lent u(utility), n(lengths), k(counts), x(member), g(cotangent), v(other);
  const Written to(out), value(out_value);
  Call call;
  call.verb = verb;
  call.structure = structure;
  call.shape = std::move(shape);
  call.regularizer = regularizer;
  call.temperature = temperature;
  if (utility_range) call.utility_range = *utility_range;
  call.dtype = u.dtype();
  call.batch = batch;
  call.utility = u.data();
  call.member = x.data();
  call.cotangent = g.data();
  call.other = v.data();
  call.lengths = n.integers();
  call.counts = k.integers();
  call.seed = static_cast<std::uint64_t>(seed);
  call.first_instance = static_cast<std::uint64_t>(offset);
  call.members = count;
  call.out = to.data();
  call.out_value = value.data();
  run_unlocked(call);
}

void perturb(const std::string& verb, const std::string& perturbation,
             std::vector<double> parameters, std::int64_t size, nb::handle theta, nb::handle out,
             nb::handle out_value, nb::handle value, nb::handle cotangent, std::int64_t seed,
             std::int64_t offset) {
  const Lent t(theta), v(value), g(cotangent);
  const Written to(out), to_value(out_value);
  PerturbationCall call;
  call.verb = verb;
  call.perturbation = perturbation;
  call.parameters = std::move(parameters);
  call.dtype = t.dtype();
  call.size = size;
  call.batch = size > 0 ? t.count() / size : 0;
  call.theta = t.data();
  call.value = v.data();
  call.cotangent = g.data();
  call.seed = static_cast<std::uint64_t>(seed);
  call.first_instance = static_cast<std::uint64_t>(offset);
  call.out = to.data();
  call.out_value = to_value.data();
  run_unlocked(call);
}

std::int64_t structure_size(const std::string& structure, const std::vector<std::int64_t>& shape) {
  std::int64_t size = 0;
  demand(size_of(structure, shape, size));
  return size;
}

}  // namespace
}  // namespace softtricks

void add_oracle(nb::module_& module);  // oracle.cpp

NB_MODULE(_core, m) {
  namespace s = softtricks;
  const auto nothing = nb::none();
  m.def("solve", &s::solve, nb::arg("verb"), nb::arg("structure"), nb::arg("shape"),
        nb::arg("batch"), nb::arg("utility"), nb::arg("out"), nb::arg("out_value") = nothing,
        nb::arg("lengths") = nothing, nb::arg("counts") = nothing, nb::arg("member") = nothing,
        nb::arg("cotangent") = nothing, nb::arg("other") = nothing,
        nb::arg("regularizer") = "gibbs_entropy", nb::arg("temperature") = 1.0,
        nb::arg("utility_range") = nothing, nb::arg("seed") = 0, nb::arg("offset") = 0,
        nb::arg("count") = 0);
  m.def("perturb", &s::perturb, nb::arg("verb"), nb::arg("perturbation"), nb::arg("parameters"),
        nb::arg("size"), nb::arg("theta"), nb::arg("out"), nb::arg("out_value") = nothing,
        nb::arg("value") = nothing, nb::arg("cotangent") = nothing, nb::arg("seed") = 0,
        nb::arg("offset") = 0);
  m.def("structure_size", &s::structure_size);
  m.def("registry", &s::registry_json);
  m.def("set_num_threads", [](int count) { s::threads = count; });
  m.def("get_num_threads", &s::thread_count);
  add_oracle(m);
  m.attr("version") = SOFTTRICKS_VERSION;
}
