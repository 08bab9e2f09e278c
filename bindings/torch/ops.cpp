/// The operators `softtricks::*` of PyTorch's dispatcher, one for each verb and none for a
/// structure: the structure comes as an argument, its name and shape. Built on LibTorch's stable
/// ABI, so one binary serves every PyTorch since 2.10, from Python (torch.ops.load_library) and
/// from C++.
///
/// These are the bare verbs. Their gradients are bound once a verb in `softtricks/torch.hpp` for
/// C++ and in the package `softtricks.torch` for Python.
#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <torch/csrc/stable/device.h>
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include "softtricks/registry.hpp"

extern "C" __attribute__((visibility("default"))) void softtricks_torch_anchor() {}

namespace softtricks {
namespace {

using torch::stable::Tensor;
using Shape = std::vector<std::int64_t>;
using Lengths = std::optional<Tensor>;

[[noreturn]] void refuse(const std::string& message) {
  throw std::runtime_error("softtricks: " + message);
}

void demand(const Status& status) {
  if (!status.ok()) refuse(status.message());
}

std::string words(const Shape& sizes) {
  std::string text = "[";
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    text += (i > 0 ? ", " : "") + std::to_string(sizes[i]);
  }
  return text + "]";
}

Shape sizes_of(const Tensor& tensor) {
  const auto sizes = tensor.sizes();
  return Shape(sizes.begin(), sizes.end());
}

std::int32_t dtype_of(const Tensor& tensor) {
  std::int32_t dtype = 0;
  STABLE_TORCH_ERROR_CODE_CHECK(aoti_torch_get_dtype(tensor.get(), &dtype));
  return dtype;
}

std::int32_t layout_of(const Tensor& tensor) {
  std::int32_t layout = 0;
  STABLE_TORCH_ERROR_CODE_CHECK(aoti_torch_get_layout(tensor.get(), &layout));
  return layout;
}

std::int32_t device_type_of(const Tensor& tensor) {
  std::int32_t device_type = 0;
  STABLE_TORCH_ERROR_CODE_CHECK(aoti_torch_get_device_type(tensor.get(), &device_type));
  return device_type;
}

/// Runs the batch loop on PyTorch's own threads, so that torch.set_num_threads rules it.
Executor torch_threads() {
  Executor executor;
  executor.run = [](void*, std::int64_t count, std::int64_t grain, Executor::Body body,
                    void* state) {
    if (count <= 0) return;
    torch::stable::parallel_for(
        0, count, grain,
        [body, state](std::int64_t begin, std::int64_t end) { body(state, begin, end); });
  };
  return executor;
}

/// A batch of vectors [..., size] that every other argument of the call must agree with.
class Batch {
 public:
  Batch(const char* name, const Tensor& tensor) : name_(name), tensor_(tensor) {
    if (layout_of(tensor) != aoti_torch_layout_strided()) {
      refuse(std::string(name) + ": expected a dense (strided) tensor");
    }
    if (device_type_of(tensor) == aoti_torch_device_type_meta()) {
      refuse(std::string(name) + ": a meta tensor has no numbers to work on");
    }
    if (dtype_of(tensor) == aoti_torch_dtype_float32()) {
      dtype_ = Dtype::float32;
    } else if (dtype_of(tensor) == aoti_torch_dtype_float64()) {
      dtype_ = Dtype::float64;
    } else {
      refuse(std::string(name) + ": expected float32 or float64; convert it, as in " + name +
             ".to(torch.float32)");
    }
    sizes_ = sizes_of(tensor);
    size_ = sizes_.empty() ? 1 : sizes_.back();
    for (std::size_t i = 0; i + 1 < sizes_.size(); ++i) count_ *= sizes_[i];
    host_ = to_host(tensor);
  }

  Dtype dtype() const { return dtype_; }
  std::int64_t count() const { return count_; }
  std::int64_t size() const { return size_; }
  const Shape& sizes() const { return sizes_; }
  Shape leading() const {
    return sizes_.empty() ? Shape{} : Shape(sizes_.begin(), sizes_.end() - 1);
  }
  const void* data() const { return host_.const_data_ptr(); }

  /// The same tensor or another that has its type, device and sizes, where the kernels can read it.
  Tensor agreeing(const char* name, const Tensor& other) const {
    if (dtype_of(other) != dtype_of(tensor_)) {
      refuse(std::string(name) + ": expected the same type as " + name_ + ", " +
             (dtype_ == Dtype::float32 ? "float32" : "float64"));
    }
    if (sizes_of(other) != sizes_) {
      refuse(std::string(name) + ": expected the shape of " + name_ + ", " + words(sizes_) +
             ", not " + words(sizes_of(other)));
    }
    return on_this_device(name, other);
  }

  Tensor lengths(const Tensor& lengths) const {
    if (dtype_of(lengths) != aoti_torch_dtype_int64()) refuse("lengths: expected int64");
    if (sizes_of(lengths) != leading()) {
      refuse("lengths: expected one number an instance, shape " + words(leading()) + ", not " +
             words(sizes_of(lengths)));
    }
    return on_this_device("lengths", lengths);
  }

  Tensor empty(const Shape& sizes) const { return torch::stable::new_empty(host_, sizes); }

  /// Hands a result back where the arguments came from.
  Tensor returned(const Tensor& result) const {
    return tensor_.is_cpu() ? result : torch::stable::to(result, tensor_.device());
  }

 private:
  Tensor on_this_device(const char* name, const Tensor& other) const {
    const bool same = tensor_.is_cpu() ? other.is_cpu()
                                       : other.device().type() == tensor_.device().type() &&
                                             other.device().index() == tensor_.device().index();
    if (!same) {
      refuse(std::string(name) + ": expected on the device of " + name_ +
             "; move one of them, as in " + name + ".to(" + name_ + ".device)");
    }
    return to_host(other);
  }

  /// Other devices have no kernels yet: their tensors are solved on the CPU and sent back.
  static Tensor to_host(const Tensor& tensor) {
    const torch::stable::Device cpu(torch::headeronly::DeviceType::CPU);
    const Tensor host = tensor.is_cpu() ? tensor : torch::stable::to(tensor, cpu);
    return host.is_contiguous() ? host : torch::stable::contiguous(host);
  }

  const char* name_;
  Tensor tensor_;
  Tensor host_{tensor_};
  Dtype dtype_ = Dtype::float32;
  Shape sizes_;
  std::int64_t count_ = 1;
  std::int64_t size_ = 1;
};

bool is_scalar(std::string_view verb) {
  static const std::vector<VerbInfo> all = verbs();
  for (const VerbInfo& info : all) {
    if (info.name == verb) return info.scalar;
  }
  return false;
}

/// What a verb takes beside utilities and structure.
struct Extras {
  const Tensor* member = nullptr;
  const char* member_name = "x";
  const Tensor* cotangent = nullptr;
};

Tensor solve(Call call, const Tensor& utility, const std::string& structure, const Shape& shape,
             const Lengths& lengths, const Extras& extras = {}) {
  std::int64_t size = 0;
  demand(size_of(structure, shape, size));
  const Batch batch("utility", utility);
  if (batch.sizes().empty() || batch.size() != size) {
    refuse("utility: expected shape [..., " + std::to_string(size) + "] for " + structure +
           words(shape) + ", not " + words(batch.sizes()));
  }
  call.structure = structure;
  call.shape = shape;
  call.dtype = batch.dtype();
  call.batch = batch.count();
  call.utility = batch.data();
  call.executor = torch_threads();

  Tensor member = extras.member ? batch.agreeing(extras.member_name, *extras.member) : utility;
  Tensor cotangent = extras.cotangent ? batch.agreeing("cotangent", *extras.cotangent) : utility;
  Tensor actual = lengths ? batch.lengths(*lengths) : utility;
  if (extras.member) call.member = member.const_data_ptr();
  if (extras.cotangent) call.cotangent = cotangent.const_data_ptr();
  if (lengths) call.lengths = actual.const_data_ptr<std::int64_t>();

  Tensor out = batch.empty(is_scalar(call.verb) ? batch.leading() : batch.sizes());
  call.out = out.mutable_data_ptr();
  demand(run(call));
  return batch.returned(out);
}

Call call_of(std::string_view verb) {
  Call call;
  call.verb = verb;
  return call;
}

// ---- verbs of structures --------------------------------------------------------------------

#define SOFTTRICKS_PLAIN_VERB(verb)                                                    \
  Tensor verb(const Tensor& utility, const std::string& structure, const Shape& shape, \
              const Lengths& lengths) {                                                \
    return solve(call_of(#verb), utility, structure, shape, lengths);                  \
  }
SOFTTRICKS_PLAIN_VERB(argmax)
SOFTTRICKS_PLAIN_VERB(log_partition)
SOFTTRICKS_PLAIN_VERB(marginals)
SOFTTRICKS_PLAIN_VERB(entropy)
#undef SOFTTRICKS_PLAIN_VERB

Tensor marginals_vjp(const Tensor& utility, const Tensor& cotangent, const std::string& structure,
                     const Shape& shape, const Lengths& lengths) {
  Extras extras;
  extras.cotangent = &cotangent;
  return solve(call_of("marginals_vjp"), utility, structure, shape, lengths, extras);
}

Tensor log_prob(const Tensor& utility, const Tensor& x, const std::string& structure,
                const Shape& shape, const Lengths& lengths) {
  Extras extras;
  extras.member = &x;
  return solve(call_of("log_prob"), utility, structure, shape, lengths, extras);
}

Tensor sample(const Tensor& utility, std::int64_t seed, std::int64_t offset,
              const std::string& structure, const Shape& shape, const Lengths& lengths) {
  Call call = call_of("sample");
  call.seed = static_cast<std::uint64_t>(seed);
  call.first_instance = static_cast<std::uint64_t>(offset);
  return solve(call, utility, structure, shape, lengths);
}

Call relax_call(std::string_view verb, double temperature, const std::string& regularizer,
                const std::optional<double>& utility_range) {
  Call call = call_of(verb);
  call.temperature = temperature;
  call.regularizer = regularizer;
  if (utility_range) call.utility_range = *utility_range;
  return call;
}

Tensor relax(const Tensor& utility, double temperature, const std::string& regularizer,
             std::optional<double> utility_range, const std::string& structure, const Shape& shape,
             const Lengths& lengths) {
  return solve(relax_call("relax", temperature, regularizer, utility_range), utility, structure,
               shape, lengths);
}

Tensor relax_vjp(const Tensor& utility, const Tensor& soft, const Tensor& cotangent,
                 double temperature, const std::string& regularizer,
                 std::optional<double> utility_range, const std::string& structure,
                 const Shape& shape, const Lengths& lengths) {
  const Extras extras{&soft, "soft", &cotangent};
  return solve(relax_call("relax_vjp", temperature, regularizer, utility_range), utility, structure,
               shape, lengths, extras);
}

// ---- verbs of perturbations -----------------------------------------------------------------

PerturbationCall perturbation_call(std::string_view verb, const std::string& perturbation,
                                   const Batch& theta) {
  PerturbationCall call;
  call.verb = verb;
  call.perturbation = perturbation;
  call.dtype = theta.dtype();
  call.batch = theta.count();
  call.size = theta.size();
  call.theta = theta.data();
  call.executor = torch_threads();
  return call;
}

Tensor finish(PerturbationCall& call, const Batch& theta) {
  Tensor out = theta.empty(theta.sizes());
  call.out = out.mutable_data_ptr();
  demand(run(call));
  return theta.returned(out);
}

Tensor perturb(const Tensor& theta, std::int64_t seed, std::int64_t offset,
               const std::string& perturbation) {
  const Batch batch("theta", theta);
  PerturbationCall call = perturbation_call("sample", perturbation, batch);
  call.seed = static_cast<std::uint64_t>(seed);
  call.first_instance = static_cast<std::uint64_t>(offset);
  return finish(call, batch);
}

Tensor perturb_vjp(const Tensor& theta, const Tensor& value, const Tensor& cotangent,
                   const std::string& perturbation) {
  const Batch batch("theta", theta);
  const Tensor drawn = batch.agreeing("value", value);
  const Tensor incoming = batch.agreeing("cotangent", cotangent);
  PerturbationCall call = perturbation_call("sample_vjp", perturbation, batch);
  call.value = drawn.const_data_ptr();
  call.cotangent = incoming.const_data_ptr();
  return finish(call, batch);
}

Tensor pair(std::string_view verb, const char* value_name, const Tensor& theta, const Tensor& value,
            const std::string& perturbation) {
  const Batch batch("theta", theta);
  const Tensor other = batch.agreeing(value_name, value);
  PerturbationCall call = perturbation_call(verb, perturbation, batch);
  call.value = other.const_data_ptr();
  return finish(call, batch);
}

std::tuple<Tensor, Tensor> pair_vjp(std::string_view verb, const char* value_name,
                                    const Tensor& theta, const Tensor& value,
                                    const Tensor& cotangent, const std::string& perturbation) {
  const Batch batch("theta", theta);
  const Tensor other = batch.agreeing(value_name, value);
  const Tensor incoming = batch.agreeing("cotangent", cotangent);
  PerturbationCall call = perturbation_call(verb, perturbation, batch);
  call.value = other.const_data_ptr();
  call.cotangent = incoming.const_data_ptr();
  Tensor out_value = batch.empty(batch.sizes());
  call.out_value = out_value.mutable_data_ptr();
  Tensor out = finish(call, batch);
  return {out, batch.returned(out_value)};
}

Tensor perturbation_log_prob(const Tensor& theta, const Tensor& value,
                             const std::string& perturbation) {
  return pair("log_prob", "value", theta, value, perturbation);
}

Tensor perturbation_kl(const Tensor& theta, const Tensor& theta0, const std::string& perturbation) {
  return pair("kl", "theta0", theta, theta0, perturbation);
}

std::tuple<Tensor, Tensor> perturbation_log_prob_vjp(const Tensor& theta, const Tensor& value,
                                                     const Tensor& cotangent,
                                                     const std::string& perturbation) {
  return pair_vjp("log_prob_vjp", "value", theta, value, cotangent, perturbation);
}

std::tuple<Tensor, Tensor> perturbation_kl_vjp(const Tensor& theta, const Tensor& theta0,
                                               const Tensor& cotangent,
                                               const std::string& perturbation) {
  return pair_vjp("kl_vjp", "theta0", theta, theta0, cotangent, perturbation);
}

// ---- what is on offer -----------------------------------------------------------------------

std::string json_list(const std::vector<std::string>& names) {
  std::string text = "[";
  for (const std::string& name : names) {
    text += (text.size() > 1 ? ", \"" : "\"") + name + "\"";
  }
  return text + "]";
}

/// The defaults of a structure's fields, null where there is none.
std::string json_defaults(const StructureInfo& structure) {
  std::string text = "[";
  for (const auto& value : structure.defaults) {
    text += (text.size() > 1 ? ", " : "") + (value ? std::to_string(*value) : "null");
  }
  return text + "]";
}

/// The registry as JSON, from which the Python package makes its classes.
std::string describe() {
  std::string text;
  for (const StructureInfo& structure : structures()) {
    const std::vector<std::string> all = regularizers();
    std::vector<std::string> offered;
    for (const VerbInfo& verb : verbs()) {
      if (std::any_of(all.begin(), all.end(), [&](const std::string& regularizer) {
            return offers(structure.name, verb.name, regularizer);
          })) {
        offered.push_back(verb.name);
      }
    }
    std::vector<std::string> relaxations;
    for (const std::string& regularizer : all) {
      if (offers(structure.name, "relax", regularizer)) relaxations.push_back(regularizer);
    }
    text += (text.empty() ? "" : ", ") + ("{\"name\": \"" + structure.name) +
            "\", \"fields\": " + json_list(structure.fields) +
            ", \"defaults\": " + json_defaults(structure) + ", \"verbs\": " + json_list(offered) +
            ", \"regularizers\": " + json_list(relaxations) + "}";
  }
  return "{\"structures\": [" + text + "], \"perturbations\": " + json_list(perturbations()) +
         ", \"instruction_set\": \"" + instruction_set() + "\"}";
}

std::int64_t structure_size(const std::string& structure, const Shape& shape) {
  std::int64_t size = 0;
  demand(size_of(structure, shape, size));
  return size;
}

}  // namespace
}  // namespace softtricks

#define SOFTTRICKS_STRUCTURE "str structure, int[] shape, Tensor? lengths"
#define SOFTTRICKS_RELAX "float temperature, str regularizer, float? utility_range, "

STABLE_TORCH_LIBRARY(softtricks, m) {
  m.def("argmax(Tensor utility, " SOFTTRICKS_STRUCTURE ") -> Tensor");
  m.def("log_partition(Tensor utility, " SOFTTRICKS_STRUCTURE ") -> Tensor");
  m.def("marginals(Tensor utility, " SOFTTRICKS_STRUCTURE ") -> Tensor");
  m.def("marginals_vjp(Tensor utility, Tensor cotangent, " SOFTTRICKS_STRUCTURE ") -> Tensor");
  m.def("sample(Tensor utility, SymInt seed, SymInt offset, " SOFTTRICKS_STRUCTURE ") -> Tensor");
  m.def("log_prob(Tensor utility, Tensor x, " SOFTTRICKS_STRUCTURE ") -> Tensor");
  m.def("entropy(Tensor utility, " SOFTTRICKS_STRUCTURE ") -> Tensor");
  m.def("relax(Tensor utility, " SOFTTRICKS_RELAX SOFTTRICKS_STRUCTURE ") -> Tensor");
  m.def("relax_vjp(Tensor utility, Tensor soft, Tensor cotangent, " SOFTTRICKS_RELAX
            SOFTTRICKS_STRUCTURE ") -> Tensor");

  m.def("perturb(Tensor theta, SymInt seed, SymInt offset, str perturbation) -> Tensor");
  m.def("perturb_vjp(Tensor theta, Tensor value, Tensor cotangent, str perturbation) -> Tensor");
  m.def("perturbation_log_prob(Tensor theta, Tensor value, str perturbation) -> Tensor");
  m.def(
      "perturbation_log_prob_vjp(Tensor theta, Tensor value, Tensor cotangent, str perturbation)"
      " -> (Tensor, Tensor)");
  m.def("perturbation_kl(Tensor theta, Tensor theta0, str perturbation) -> Tensor");
  m.def(
      "perturbation_kl_vjp(Tensor theta, Tensor theta0, Tensor cotangent, str perturbation)"
      " -> (Tensor, Tensor)");

  m.def("describe() -> str");
  m.def("structure_size(str structure, int[] shape) -> int");
}

#undef SOFTTRICKS_STRUCTURE
#undef SOFTTRICKS_RELAX

// One kernel for every device, so that a call that mixes devices reaches our own error.
STABLE_TORCH_LIBRARY_IMPL(softtricks, CompositeExplicitAutograd, m) {
  m.impl("argmax", TORCH_BOX(&softtricks::argmax));
  m.impl("log_partition", TORCH_BOX(&softtricks::log_partition));
  m.impl("marginals", TORCH_BOX(&softtricks::marginals));
  m.impl("marginals_vjp", TORCH_BOX(&softtricks::marginals_vjp));
  m.impl("sample", TORCH_BOX(&softtricks::sample));
  m.impl("log_prob", TORCH_BOX(&softtricks::log_prob));
  m.impl("entropy", TORCH_BOX(&softtricks::entropy));
  m.impl("relax", TORCH_BOX(&softtricks::relax));
  m.impl("relax_vjp", TORCH_BOX(&softtricks::relax_vjp));

  m.impl("perturb", TORCH_BOX(&softtricks::perturb));
  m.impl("perturb_vjp", TORCH_BOX(&softtricks::perturb_vjp));
  m.impl("perturbation_log_prob", TORCH_BOX(&softtricks::perturbation_log_prob));
  m.impl("perturbation_log_prob_vjp", TORCH_BOX(&softtricks::perturbation_log_prob_vjp));
  m.impl("perturbation_kl", TORCH_BOX(&softtricks::perturbation_kl));
  m.impl("perturbation_kl_vjp", TORCH_BOX(&softtricks::perturbation_kl_vjp));

  m.impl("describe", TORCH_BOX(&softtricks::describe));
  m.impl("structure_size", TORCH_BOX(&softtricks::structure_size));
}
