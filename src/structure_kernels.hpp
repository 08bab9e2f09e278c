#pragma once
/// From a batch in memory to a solver's text and back: loads instances into packs (or takes them
/// one by one), applies temperature, range and lengths, and keeps bad instances from spoiling
/// others.
#include "kernels.hpp"
#include "pack.hpp"
#include "softtricks/base/shape.hpp"
#include "softtricks/functions.hpp"

namespace softtricks {

template <class Scalar, int W>
using NumberOf = std::conditional_t<W == 1, Scalar, Pack<Scalar, W>>;

template <class T>
SOFTTRICKS_FN ScalarOf<T>& lane(T& x, int l) {
  return reinterpret_cast<ScalarOf<T>*>(&x)[l];
}

/// Which instances lie side by side, lanes beyond the last repeating it: `count` of them from the
/// first on, ...
struct Run {
  std::int64_t first;
  int count;
  SOFTTRICKS_FN std::int64_t operator[](int l) const { return first + (l < count ? l : count - 1); }
};
/// ... or any.
template <int W>
struct Chosen {
  std::int64_t place[W];
  int count = 0;
  SOFTTRICKS_FN std::int64_t operator[](int l) const { return place[l]; }
  SOFTTRICKS_FN void add(std::int64_t instance) {
    for (int l = count; l < W; ++l) place[l] = instance;
    ++count;
  }
};

/// Numbers of an instance to ask the memory for in advance: so many rows at once are more than a
/// machine foresees by itself.
inline constexpr int read_ahead = 96;

/// Reads `size` numbers of each instance into one T per entry.
template <class Team, class T, class Places>
SOFTTRICKS_SOLVER void load(const ScalarOf<T>* source, int size, const Places& places, T* target) {
  constexpr int W = Lanes<T>::count;
  const auto row = [=](int l) { return source + places[l] * size; };
  int e = 0;
  for (; e + W <= size; e += W) {
    for (int l = 0; l < W; ++l) {
      std::memcpy(&target[e + l], row(l) + e, sizeof(T));
      __builtin_prefetch(row(l) + e + read_ahead);
    }
    transpose(target + e);
  }
  for (; e < size; ++e) {
    for (int l = 0; l < W; ++l) lane(target[e], l) = row(l)[e];
  }
}

/// The reverse of `load`; lanes beyond the last are dropped.
template <class Team, class T, class Places>
SOFTTRICKS_SOLVER void store(T* source, int size, const Places& places, ScalarOf<T>* target) {
  constexpr int W = Lanes<T>::count;
  const auto row = [=](int l) { return target + places[l] * size; };
  int e = 0;
  for (; e + W <= size; e += W) {
    T block[W];
    std::memcpy(block, source + e, sizeof block);
    transpose(block);
    const auto put = [&](int l) {
      std::memcpy(row(l) + e, &block[l], sizeof(T));
      __builtin_prefetch(row(l) + e + read_ahead, 1);
    };
    if (places.count == W) {  // then the block stays in registers
      for (int l = 0; l < W; ++l) put(l);
    } else {
      for (int l = 0; l < places.count; ++l) put(l);
    }
  }
  for (; e < size; ++e) {
    for (int l = 0; l < places.count; ++l) row(l)[e] = lane(source[e], l);
  }
}

/// What a kernel has to know of its verb.
struct VerbNeeds {
  bool member, cotangent, other, infinity, relaxes;
  Result result;
};
template <class Verb>
inline constexpr VerbNeeds needs_of{Verb::reads_member,      Verb::reads_cotangent,
                                    Verb::reads_other,       Verb::takes_infinity,
                                    reads_regularizer<Verb>, Verb::result};

/// Up to Lanes<T>::count instances of a structure, on their way from memory to a verb and back.
/// Independent of the verb, so that it is compiled once for all of them.
template <class S, class T, class Team>
struct Instances {
  using Scalar = ScalarOf<T>;
  static constexpr int width = Lanes<T>::count;

  const S structure;
  const KernelArguments& in;
  const VerbNeeds needs;
  const int size;
  T* const own_utility;  // scratch for what is not taken where it lies
  T* const own_member;
  T* const own_cotangent;
  T* const own_other;
  T* const own_out;
  const T *utility = nullptr, *member = nullptr, *cotangent = nullptr, *other = nullptr;
  T *out = nullptr, *value = nullptr;
  T length{}, top{};
  MaskOf<T> bad{};
  Scratch scratch;

  SOFTTRICKS_FN Instances(const S& s, const KernelArguments& arguments, const VerbNeeds& verb,
                          Scratch memory)
      : structure(s),
        in(arguments),
        needs(verb),
        size(structure.size()),
        own_utility(memory.template take<T>(size)),
        own_member(memory.template take<T>(needs.member && !in_place ? size : 0)),
        own_cotangent(memory.template take<T>(needs.cotangent && !in_place ? size : 0)),
        own_other(memory.template take<T>(needs.other ? size : 0)),
        own_out(memory.template take<T>(in_place ? 0 : results())),
        scratch(memory) {}

  /// Single instances are read and written where they lie.
  static constexpr bool in_place = width == 1;

  SOFTTRICKS_FN int members() const {
    return needs.result == Result::members ? static_cast<int>(in.members) : 0;
  }
  SOFTTRICKS_FN int results() const { return results_of(needs.result, size, members()); }
  SOFTTRICKS_FN bool limited() const {
    return needs.relaxes && in.utility_range < static_cast<double>(infinity<T>);
  }

  /// Where the numbers of instances first ... are, or where they were brought.
  template <class Places>
  SOFTTRICKS_FN const T* fetch(const void* base, const Places& places, T* own) const {
    if constexpr (in_place) {
      return static_cast<const Scalar*>(base) + places[0] * size;
    } else {
      load<Team>(static_cast<const Scalar*>(base), size, places, own);
      return own;
    }
  }

  SOFTTRICKS_FN T full_length() const { return T(static_cast<Scalar>(structure.longest())); }

  template <class Places>
  SOFTTRICKS_FN T read_lengths(const Places& places) const {
    T lengths;
    for (int l = 0; l < width; ++l) {
      lane(lengths, l) = static_cast<Scalar>(in.lengths[places[l]]);
    }
    return lengths;
  }
  /// Entries outside an instance's length are absent: utility -inf.
  SOFTTRICKS_FN void apply_length(T* utilities) const {
    structure.for_each_entry([&](int e, int from) {
      utilities[e] = select(length < T(static_cast<Scalar>(from)), T(-infinity<T>), utilities[e]);
    });
  }

  /// Lanes with a utility that has no meaning.
  SOFTTRICKS_FN MaskOf<T> find_bad(const T* utilities) const {
    const Scalar most = needs.infinity ? infinity<Scalar> : std::numeric_limits<Scalar>::max();
    const auto is_wrong = [=]<class V>(const V& u) { return select(u <= V(most), V(0), V(1)); };
    return Team().template map_sum<T>(size, is_wrong, utilities) > T(0);
  }

  /// Entries that count for nothing must not be the largest.
  SOFTTRICKS_FN void drop_idle_entries() const {
    if constexpr (requires { structure.for_each_idle_entry([](int) {}); }) {
      structure.for_each_idle_entry([&](int e) { own_utility[e] = T(-infinity<T>); });
    }
  }

  /// Utilities below the largest minus `utility_range`, but above -inf, are raised to that floor.
  /// Returns the largest, whose own floor they follow.
  SOFTTRICKS_FN T raise_to_floor() const {
    T largest(-infinity<T>);
    for (int e = 0; e < size; ++e) largest = max(largest, own_utility[e]);
    const T floor = largest - T(static_cast<Scalar>(in.utility_range));
    for (int e = 0; e < size; ++e) {
      const T u = own_utility[e];
      own_utility[e] = select(u == T(-infinity<T>), u, max(u, floor));
    }
    return largest;
  }

  /// A raised utility is a function of the largest one (of equals, the first): its gradient goes
  /// there.
  SOFTTRICKS_FN void hand_to_largest() const {
    const T floor = top - T(static_cast<Scalar>(in.utility_range));
    T handed(0);
    for (int e = 0; e < size; ++e) {
      const auto raised = (utility[e] == floor) & (floor < top);
      handed = handed + select(raised, out[e], T(0));
      out[e] = select(raised, out[e] - out[e], out[e]);  // 0, or NaN where it was
    }
    auto open = top == top;
    for (int e = 0; e < size; ++e) {
      const auto here = open & (utility[e] == top);
      out[e] = out[e] + select(here, handed, T(0));
      open = open & !here;
    }
  }

  template <class Places>
  SOFTTRICKS_FN Stream<T> stream_of(const Places& places) const {
    WordOf<T> low{}, high{};
    for (int l = 0; l < width; ++l) {
      const std::uint64_t id = in.first_instance + static_cast<std::uint64_t>(places[l]);
      reinterpret_cast<std::uint32_t*>(&low)[l] = static_cast<std::uint32_t>(id);
      reinterpret_cast<std::uint32_t*>(&high)[l] = static_cast<std::uint32_t>(id >> 32);
    }
    return Stream<T>(in.seed, low, high);
  }

  /// Makes own_utility the utilities, to be changed.
  SOFTTRICKS_FN void own() {
    if (utility == own_utility) return;
    for (int e = 0; e < size; ++e) own_utility[e] = utility[e];
    utility = own_utility;
  }

  /// Bad lanes get 0, so that solvers need not mind them.
  SOFTTRICKS_FN void set_aside(T* utilities) const {
    for (int e = 0; e < size; ++e) utilities[e] = select(bad, T(0), utilities[e]);
  }

  /// The utilities of the second law.
  template <class Places>
  SOFTTRICKS_FN void prepare_other(const Places& places) {
    other = fetch(in.other, places, own_other);
    for (int e = 0; e < size; ++e) own_other[e] = other[e];
    other = own_other;
    if (in.lengths != nullptr) apply_length(own_other);
    bad = bad | find_bad(own_other);
    if (any(bad)) set_aside(own_other);
  }

  /// Loads the instances at `places`, at most `width`.
  template <class Places>
  SOFTTRICKS_SOLVER void prepare(const Places& places) {
    utility = fetch(in.utility, places, own_utility);
    const Scalar temperature = static_cast<Scalar>(in.temperature);
    if (needs.relaxes && temperature != Scalar(1)) {
      const auto scaled = [=]<class V>(const V& u) { return u / V(temperature); };
      Team().map(size, own_utility, scaled, utility);
      utility = own_utility;
    }
    length = full_length();
    if (in.lengths != nullptr) {
      own();
      length = read_lengths(places);
      apply_length(own_utility);
    }
    bad = find_bad(utility);
    if (needs.other) prepare_other(places);
    if (any(bad)) {
      own();
      set_aside(own_utility);
    }
    if (needs.member) member = fetch(in.member, places, own_member);
    if (needs.cotangent) cotangent = fetch(in.cotangent, places, own_cotangent);
    if (limited()) {
      own();
      drop_idle_entries();
      top = raise_to_floor();
    }
    if constexpr (in_place) {
      out = static_cast<T*>(in.out) + places[0] * results();
      value = static_cast<T*>(in.out_value) + places[0] * members();
    } else {
      out = own_out;
    }
  }

  template <class Places>
  SOFTTRICKS_SOLVER void finish(const Places& places) {
    if (needs.relaxes && needs.cotangent) {
      if (limited()) hand_to_largest();
      const Scalar temperature = static_cast<Scalar>(in.temperature);
      if (temperature != Scalar(1)) {
        const auto scaled = [=]<class V>(const V& g) { return g / V(temperature); };
        Team().map(size, out, scaled, static_cast<const T*>(out));
      }
    }
    if (any(bad)) {
      for (int e = 0; e < results(); ++e) out[e] = select(bad, T(not_a_number<T>), out[e]);
      for (int m = 0; m < members(); ++m) value[m] = select(bad, T(not_a_number<T>), value[m]);
    }
    if constexpr (!in_place) store<Team>(out, results(), places, static_cast<Scalar*>(in.out));
  }

  template <class Verb, class Places>
  SOFTTRICKS_FN void run(const Places& places) {
    prepare(places);
    const Stream<T> stream = stream_of(places);
    const Operands<T> operands{{utility, size}, {member, size},     {cotangent, size},
                               {other, size},   {value, members()}, length,
                               &stream};
    Verb::run(structure, Team(), operands, Vector<T>{out, results()}, scratch);
    finish(places);
  }
};

/// Full packs where the working set stays close to a core's own cache; beyond, narrow ones of 16
/// bytes a number. Instances one by one where the solver takes no packs or says (`alone_from`) that
/// it is better off along one instance. A function of the shape only, so that a result never
/// depends on the batch around it.
template <class Verb, class S, class Scalar, int W, class Team>
struct StructureKernels {
  static constexpr bool packs = Offered<Verb, S, Pack<Scalar, W>, Team>;
  static constexpr int alone_from = [] {
    if constexpr (requires { S::alone_from(Verb::method); }) return S::alone_from(Verb::method);
    return never;
  }();
  static constexpr bool narrows = packs && alone_from == never;
  using Full = NumberOf<Scalar, packs ? W : 1>;
  using Narrow = NumberOf<Scalar, narrows ? 16 / static_cast<int>(sizeof(Scalar)) : 1>;

  static bool fits(const S& s) {
    constexpr std::int64_t cache = 4 << 20;  // bytes up to which full packs are ahead, as measured
    const std::int64_t numbers = s.working_numbers() + 3 * static_cast<std::int64_t>(s.size());
    return s.size() < alone_from && numbers * static_cast<std::int64_t>(sizeof(Full)) <= cache;
  }

  template <class T>
  static void run_as(const KernelArguments& in, std::int64_t begin, std::int64_t end,
                     void* memory) {
    constexpr int width = Lanes<T>::count;
    if constexpr (requires { S::count_field; }) {
      if (in.counts != nullptr) return run_by_count<T>(in, begin, end, memory);
    }
    Instances<S, T, Team> instances(make_structure<S>(in.shape), in, needs_of<Verb>,
                                    Scratch(memory));
    for (std::int64_t b = begin; b < end; b += width) {
      instances.template run<Verb>(Run{b, static_cast<int>(end - b < width ? end - b : width)});
    }
  }
  /// Instances whose counts differ are of different structures: those of one go together.
  template <class T>
  static void run_by_count(const KernelArguments& in, std::int64_t begin, std::int64_t end,
                           void* memory) {
    constexpr int width = Lanes<T>::count;
    KernelArguments one = in;
    std::int64_t& count = one.shape[S::count_field];
    std::int64_t next = in.shape[S::count_field];
    for (std::int64_t b = begin; b < end; ++b) next = in.counts[b] < next ? in.counts[b] : next;
    for (bool more = true; more;) {
      count = next;
      more = false;
      Instances<S, T, Team> instances(make_structure<S>(one.shape), one, needs_of<Verb>,
                                      Scratch(memory));
      Chosen<width> chosen;
      for (std::int64_t b = begin; b < end; ++b) {
        if (in.counts[b] == count) chosen.add(b);
        if (in.counts[b] > count && (!more || in.counts[b] < next)) {
          next = in.counts[b];
          more = true;
        }
        if (chosen.count == width || (b + 1 == end && chosen.count > 0)) {
          instances.template run<Verb>(chosen);
          chosen.count = 0;
        }
      }
    }
  }
  static void run(const KernelArguments& in, std::int64_t begin, std::int64_t end, void* memory) {
    if (fits(make_structure<S>(in.shape))) return run_as<Full>(in, begin, end, memory);
    run_as<Narrow>(in, begin, end, memory);
  }

  template <class T>
  static std::size_t bytes_as(const S& s, int members) {
    Scratch count;
    for (int arrays = 0; arrays < 6; ++arrays) count.take<T>(static_cast<std::size_t>(s.size()));
    return count.used() + verb_scratch<Verb, T>(s, members) + 2 * Scratch::alignment;
  }
  static std::size_t bytes(const KernelArguments& in) {
    const S s = make_structure<S>(in.shape);
    const int members = static_cast<int>(in.members);
    return fits(s) ? bytes_as<Full>(s, members) : bytes_as<Narrow>(s, members);
  }
  static std::int64_t work(const KernelArguments& in) {
    const S s = make_structure<S>(in.shape);
    return s.working_numbers() * 4 + s.size() * 16;
  }
};

}  // namespace softtricks
