/// `run`: checks a call once, finds its kernel and cuts the batch into pieces for the executor.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>

#include "calls.hpp"
#include "softtricks/base/shape.hpp"
#include "softtricks/functions.hpp"

namespace softtricks {

const KernelTable& kernels() {
#if SOFTTRICKS_ISA_COUNT > 1
  static const KernelTable& table = [&]() -> const KernelTable& {
    // What the compiler flags x86-64-v3 and v4 (cmake/softtricksLibrary.cmake) take for granted.
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    const bool v4 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
    return v3 && v4 ? kernels_avx512() : v3 ? kernels_avx2() : kernels_baseline();
  }();
  return table;
#else
  return kernels_baseline();
#endif
}

namespace {

/// Memory of one thread that grows to what was last needed and is kept.
void* thread_memory(std::size_t bytes) {
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  thread_local std::unique_ptr<void, Free> memory;
  thread_local std::size_t held = 0;
  if (bytes > held) {
    const std::size_t rounded = (bytes + 4095) / 4096 * 4096;
    memory.reset();
    held = 0;
    memory.reset(std::aligned_alloc(64, rounded));
    held = memory ? rounded : 0;
  }
  return held >= bytes ? memory.get() : nullptr;
}

template <class Verb>
bool is_called(std::string_view verb, std::string_view regularizer) {
  if constexpr (reads_regularizer<Verb>) {
    return verb == Verb::name && regularizer == Verb::regularizer;
  } else {
    return verb == Verb::name;
  }
}

struct VerbFacts {
  const char* method = "";
  int place = -1;
  Result result = Result::entries;
  bool reads_member = false, reads_cotangent = false, reads_other = false, relaxes = false;
};

VerbFacts facts_of(std::string_view verb, std::string_view regularizer) {
  VerbFacts facts;
  int place = 0;
  for_each_verb([&]<class Verb>() {
    if (is_called<Verb>(verb, regularizer)) {
      facts = {Verb::method,           place,
               Verb::result,           Verb::reads_member,
               Verb::reads_cotangent,  Verb::reads_other,
               reads_regularizer<Verb>};
    }
    ++place;
  });
  return facts;
}

using Shape = std::vector<std::int64_t>;

/// Checks a shape against the fields of structure S, fills in the defaults of those it leaves out
/// and tells what the structure says of itself.
template <class S>
Status complete(Shape& shape, std::int64_t& size, int& longest) {
  const std::size_t given = shape.size();
  for (int f = static_cast<int>(given); f < S::fields; ++f) {
    if (field_default<S>(f) != required_field) shape.push_back(field_default<S>(f));
  }
  if (shape.size() != static_cast<std::size_t>(S::fields)) {
    std::string fields;
    for (const char* field : S::field_names)
      fields += (fields.empty() ? "" : ", ") + std::string(field);
    return Status::error(std::string(S::name) + ": shape needs " + std::to_string(S::fields) +
                         " number(s) (" + fields + "), got " + std::to_string(given));
  }
  for (std::size_t f = 0; f < shape.size(); ++f) {
    if (shape[f] < std::numeric_limits<int>::min() || shape[f] > (1 << 28)) {
      return Status::error(std::string(S::name) + ": " + S::field_names[f] + " = " +
                           std::to_string(shape[f]) + " is out of range");
    }
  }
  const S s = make_structure<S>(shape.data());
  Status status = s.check();
  if (status.ok()) {
    size = s.size();
    longest = s.longest();
  }
  return status;
}

/// Finds a structure and completes its shape.
Status describe(std::string_view structure, Shape& shape, int& place, std::int64_t& size,
                int& longest) {
  place = place_of<Structures>(structure);
  if (place < 0) {
    return Status::error("structure " + quoted(structure) +
                         " is unknown; offered: " + join(names_of<Structures>()));
  }
  Status status;
  Structures::for_each([&]<class S>() {
    if (structure == S::name) status = complete<S>(shape, size, longest);
  });
  return status;
}

/// Some methods are offered for some shapes only.
Status check_method(std::string_view structure, const Shape& shape, std::string_view method) {
  Status status;
  Structures::for_each([&]<class S>() {
    if constexpr (requires(const S& s) { s.check_method(method); }) {
      if (structure == S::name) status = make_structure<S>(shape.data()).check_method(method);
    }
  });
  return status;
}

Status check_relaxation(const Call& call) {
  const double temperature = call.dtype == Dtype::float32
                                 ? static_cast<double>(static_cast<float>(call.temperature))
                                 : call.temperature;
  if (!(temperature > 0) || std::isinf(temperature)) {
    return Status::error(
        "temperature must be positive and finite (in the type of the utilities), got " +
        std::to_string(call.temperature));
  }
  if (!(call.utility_range > 0)) {
    return Status::error("utility_range must be positive (infinite: off), got " +
                         std::to_string(call.utility_range));
  }
  return {};
}

Status check_arrays(const Call& call, const VerbFacts& facts, std::int64_t size, int longest) {
  if (call.batch < 0) {
    return Status::error("batch must not be negative, got " + std::to_string(call.batch));
  }
  if (facts.result == Result::members) {
    const std::int64_t most = std::numeric_limits<int>::max() / size;
    if (call.members < 1 || call.members > most) {
      return Status::error(std::string(call.verb) + ": members must be in [1, " +
                           std::to_string(most) + "], got " + std::to_string(call.members));
    }
  }
  if (call.batch == 0) return {};
  if (call.utility == nullptr) return Status::error("utility is missing");
  if (call.out == nullptr) return Status::error("out is missing");
  if (facts.reads_member && call.member == nullptr) {
    return Status::error(std::string(call.verb) + " needs member");
  }
  if (facts.reads_cotangent && call.cotangent == nullptr) {
    return Status::error(std::string(call.verb) + " needs cotangent");
  }
  if (facts.reads_other && call.other == nullptr) {
    return Status::error(std::string(call.verb) + " needs other, the utilities of the second law");
  }
  if (facts.result == Result::members && call.out_value == nullptr) {
    return Status::error("out_value is missing");
  }
  for (std::int64_t b = 0; call.lengths != nullptr && b < call.batch; ++b) {
    if (call.lengths[b] < 1 || call.lengths[b] > longest) {
      return Status::error("lengths must be in [1, " + std::to_string(longest) + "], got " +
                           std::to_string(call.lengths[b]) + " for instance " + std::to_string(b));
    }
  }
  return {};
}

/// Counts stand for the structure's count field, which is the most that one may be.
Status check_counts(const Call& call, const Shape& shape) {
  if (call.counts == nullptr) return {};
  int field = -1;
  Structures::for_each([&]<class S>() {
    if constexpr (requires { S::count_field; }) {
      if (call.structure == S::name) field = S::count_field;
    }
  });
  if (field < 0) {
    return Status::error(std::string(call.structure) + " has no count that instances differ in");
  }
  Status status;
  for (std::int64_t b = 0; b < call.batch && status.ok(); ++b) {
    Shape own = shape;
    own[static_cast<std::size_t>(field)] = call.counts[b];
    std::int64_t size = 0;
    if (call.counts[b] > shape[static_cast<std::size_t>(field)]) {
      status = Status::error("counts must be at most " +
                             std::to_string(shape[static_cast<std::size_t>(field)]) +
                             ", the shape's, got " + std::to_string(call.counts[b]));
    } else {
      status = size_of(call.structure, own, size);
    }
    if (!status.ok()) {
      status = Status::error(status.message() + " (counts, instance " + std::to_string(b) + ")");
    }
  }
  return status;
}

Status find_verb(const Call& call, int structure, VerbFacts& facts) {
  facts = facts_of(call.verb, call.regularizer);
  if (facts.place < 0) {
    std::vector<std::string> offered;
    for (const VerbInfo& verb : verbs()) offered.push_back(verb.name);
    if (std::find(offered.begin(), offered.end(), call.verb) == offered.end()) {
      return Status::error("verb " + quoted(call.verb) + " is unknown; offered: " + join(offered));
    }
    return Status::error("regularizer " + quoted(call.regularizer) +
                         " is unknown; offered: " + join(regularizers()));
  }
  if (kernels().verb[structure][facts.place][0].run != nullptr) return {};
  std::string what = std::string(call.verb);
  if (facts.relaxes) what += " with " + std::string(call.regularizer);
  std::vector<std::string> offered;
  for (const VerbInfo& verb : verbs()) {
    for (const std::string& r : regularizers()) {
      const bool relaxes = facts_of(verb.name, r).relaxes;
      if (!offers(call.structure, verb.name, r)) continue;
      if (relaxes || r == regularizers().front()) {
        offered.push_back(relaxes ? verb.name + " with " + r : verb.name);
      }
    }
  }
  return Status::error(std::string(call.structure) + " does not offer " + what +
                       "; it offers: " + join(offered));
}

}  // namespace

Status run(const Call& call) {
  int structure = -1, longest = 0;
  std::int64_t size = 0;
  VerbFacts facts;
  Shape shape = call.shape;
  if (Status s = describe(call.structure, shape, structure, size, longest); !s) return s;
  if (Status s = find_verb(call, structure, facts); !s) return s;
  if (Status s = check_method(call.structure, shape, facts.method); !s) return s;
  if (facts.relaxes) {
    if (Status s = check_relaxation(call); !s) return s;
  }
  if (Status s = check_arrays(call, facts, size, longest); !s) return s;
  if (Status s = check_counts(call, shape); !s) return s;
  if (call.batch == 0) return {};

  KernelArguments arguments{};
  std::copy(shape.begin(), shape.end(), arguments.shape);
  arguments.temperature = facts.relaxes ? call.temperature : 1;
  arguments.utility_range =
      facts.relaxes ? call.utility_range : std::numeric_limits<double>::infinity();
  arguments.utility = call.utility;
  arguments.member = call.member;
  arguments.cotangent = call.cotangent;
  arguments.other = call.other;
  arguments.lengths = call.lengths;
  arguments.counts = call.counts;
  arguments.members = facts.result == Result::members ? call.members : 0;
  arguments.seed = call.seed;
  arguments.first_instance = call.first_instance;
  arguments.out = call.out;
  arguments.out_value = call.out_value;

  const Kernel& kernel =
      kernels().verb[structure][facts.place][call.dtype == Dtype::float64 ? 1 : 0];
  const std::size_t bytes = kernel.bytes(arguments);
  bool short_of_memory = false;
  auto body = [&](std::int64_t begin, std::int64_t end) {
    void* const memory = thread_memory(bytes);
    if (memory == nullptr) {
      short_of_memory = true;
      return;
    }
    kernel.run(arguments, begin, end, memory);
  };
  call.executor.for_each_range(call.batch, grain_for(kernel.work(arguments)), body);
  if (short_of_memory) {
    return Status::error("not enough memory: " + std::to_string(bytes) + " bytes per thread");
  }
  return {};
}

std::vector<StructureInfo> structures() {
  std::vector<StructureInfo> all;
  Structures::for_each([&]<class S>() {
    StructureInfo info{S::name, {std::begin(S::field_names), std::end(S::field_names)}, {}};
    for (int f = 0; f < S::fields; ++f) {
      const std::int64_t value = field_default<S>(f);
      info.defaults.push_back(value == required_field ? std::nullopt : std::optional(value));
    }
    all.push_back(std::move(info));
  });
  return all;
}

std::vector<VerbInfo> verbs() {
  std::vector<VerbInfo> all;
  for_each_verb([&]<class Verb>() {
    const bool listed = !all.empty() && all.back().name == Verb::name;
    if (!listed) all.push_back({Verb::name, Verb::result});
  });
  return all;
}

std::vector<std::string> regularizers() { return names_of<Regularizers>(); }
bool offers(std::string_view structure, std::string_view verb, std::string_view regularizer) {
  const int s = place_of<Structures>(structure);
  const int v = facts_of(verb, regularizer).place;
  return s >= 0 && v >= 0 && kernels().verb[s][v][0].run != nullptr;
}

bool offers(std::string_view structure, std::string_view verb, std::string_view regularizer,
            const Shape& shape) {
  int place = 0, longest = 0;
  std::int64_t size = 0;
  Shape all = shape;
  return offers(structure, verb, regularizer) &&
         describe(structure, all, place, size, longest).ok() &&
         check_method(structure, all, facts_of(verb, regularizer).method).ok();
}

Status size_of(std::string_view structure, const std::vector<std::int64_t>& shape,
               std::int64_t& size) {
  int place = 0, longest = 0;
  Shape complete_shape = shape;
  return describe(structure, complete_shape, place, size, longest);
}

std::string instruction_set() { return kernels().name; }

}  // namespace softtricks
