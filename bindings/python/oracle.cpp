// Projections on the hull of a set that only a Python function knows: softtricks.Oracle.
//
// Solvers ask their oracle in the middle of their work. Here each instance's solver has a stack of
// its own and, when it asks, hands the question out and rests. So Python drives: it takes the
// questions of all instances (`ask`), calls the user's function once, as a plain call of its own,
// and hands the answers in (`answer`).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <numeric>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <softtricks/lists.hpp>
#include <softtricks/solver/frank_wolfe.hpp>
#include <sys/mman.h>
#include <ucontext.h>

namespace nb = nanobind;
using namespace nb::literals;

namespace {
using namespace softtricks;

template <class T>
using Rows = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

template <class T>
nb::ndarray<nb::numpy, T> array(std::vector<T> numbers, std::initializer_list<std::size_t> shape) {
  auto* const kept = new std::vector<T>(std::move(numbers));
  nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  return {kept->data(), shape, owner};
}

/// Pages that the system gives when they are touched.
class Pages {
 public:
  explicit Pages(std::size_t bytes) : bytes_(bytes) {
    void* const got = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (got == MAP_FAILED) throw std::bad_alloc();
    start_ = static_cast<std::byte*>(got);
  }
  Pages(Pages&& other) noexcept : bytes_(other.bytes_), start_(other.start_) {
    other.start_ = nullptr;
  }
  ~Pages() {
    if (start_) munmap(start_, bytes_);
  }
  std::byte* start() const { return start_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_;
  std::byte* start_;
};

/// How an instance is solved: exactly, or by Frank-Wolfe.
struct Plan {
  bool exact;
  double tolerance;
  int steps;
};

/// One instance at work: a stack, memory, and the question it waits with.
template <class T>
class Worker {
 public:
  Worker(int size, const Plan& plan)
      : size_(size),
        plan_(plan),
        stack_(std::size_t{256} << 10),
        memory_(plan.exact ? ActiveSet<T>::scratch(size) : FrankWolfe<T>::scratch(size)),
        question(size),
        answer(size) {}

  /// Goes on until it asks or is done. A worker must not be moved once it has begun.
  void begin(const T* utility) {
    utility_ = utility;
    done = false;
    getcontext(&own_);
    own_.uc_stack.ss_sp = stack_.start();
    own_.uc_stack.ss_size = stack_.bytes();
    own_.uc_link = &driver_;
    const auto self = reinterpret_cast<std::uintptr_t>(this);
    makecontext(&own_, reinterpret_cast<void (*)()>(&Worker::enter), 2,
                static_cast<unsigned>(self >> 32), static_cast<unsigned>(self));
    resume();
  }
  void resume() { swapcontext(&driver_, &own_); }

 private:
  static void enter(unsigned high, unsigned low) {
    const auto self = static_cast<std::uintptr_t>(high) << 32 | low;
    reinterpret_cast<Worker*>(self)->work();
  }
  void work() {
    Scratch scratch(memory_.start());
    if (plan_.exact) {
      ActiveSet<T> set(size_, scratch);
      set.clear(team_);
      found = set.project(team_, given(), *this);
      keep(set);
    } else {
      FrankWolfe<T> walk(size_, scratch);
      found = walk.project(team_, given(), *this, plan_.tolerance, plan_.steps);
      keep(walk);
    }
    done = true;
  }
  Vector<const T> given() const { return {utility_, size_}; }

  template <class Solver>
  void keep(const Solver& solver) {
    // The stack may be left at any question: nothing on it may need to be destroyed.
    static_assert(std::is_trivially_destructible_v<Solver>);
    point.assign(size_, T(0));
    if (!found) return;
    solver.write_point(team_, Vector<T>{point.data(), size_});
    std::vector<int> heaviest(solver.count());
    std::iota(heaviest.begin(), heaviest.end(), 0);
    std::stable_sort(heaviest.begin(), heaviest.end(),
                     [&](int i, int j) { return solver.weight(i) > solver.weight(j); });
    members.assign(heaviest.size() * size_, T(0));
    weights.clear();
    for (const int i : heaviest) {
      solver.write_member(team_, i, members.data() + weights.size() * size_);
      weights.push_back(static_cast<T>(solver.weight(i)));
    }
  }

  int size_;
  Plan plan_;
  SerialTeam<> team_;
  Pages stack_, memory_;
  ucontext_t own_, driver_;
  const T* utility_ = nullptr;

 public:
  std::vector<T> question, answer;  // [size]
  bool done = false, found = false;
  std::vector<T> point, members, weights;
  std::size_t instance = 0;

  /// The oracle, for the solver: asks, rests, and reads the answer.
  bool operator()(Vector<const T> utility, SparseVector<T>& best) const {
    auto& self = const_cast<Worker&>(*this);
    std::copy_n(utility.data, size_, self.question.begin());
    swapcontext(&self.own_, &self.driver_);
    best.count = 0;
    if (is_nan(answer[0])) return false;
    for (int e = 0; e < size_; ++e) {
      if (answer[e] == T(0)) continue;
      best.entry[best.count] = e;
      best.value[best.count++] = answer[e];
    }
    return true;
  }
};

/// The projections of a batch.
template <class T>
class Projections {
 public:
  Projections(Rows<T> utility, bool exact, double tolerance, int steps)
      : plan_{exact, tolerance, steps},
        batch_(utility.shape(0)),
        size_(static_cast<int>(utility.shape(1))),
        utility_(utility.data(), utility.data() + utility.size()),
        results_(batch_) {
    const std::size_t each = exact ? ActiveSet<T>::scratch(size_) : FrankWolfe<T>::scratch(size_);
    window_ = std::clamp<std::size_t>((std::size_t{256} << 20) / each, 1, 1024);
  }

  Projections(const Projections&) = delete;

  /// The questions that wait for answers, [n, size]; n = 0: all is done.
  auto ask() {
    std::vector<T> questions;
    {
      nb::gil_scoped_release others_may_run;
      while (workers_.size() < window_ && next_ < batch_) start();
      for (const auto& worker : workers_) {
        questions.insert(questions.end(), worker->question.begin(), worker->question.end());
      }
    }
    return array(std::move(questions), {workers_.size(), static_cast<std::size_t>(size_)});
  }

  /// answers: [n, size], in the order of the questions; a row of NaN: no member.
  void answer(Rows<T> answers) {
    if (answers.shape(0) != workers_.size() || static_cast<int>(answers.shape(1)) != size_) {
      throw std::invalid_argument("answers: expected one for each question");
    }
    nb::gil_scoped_release others_may_run;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      std::copy_n(answers.data() + i * size_, size_, workers_[i]->answer.begin());
      workers_[i]->resume();
    }
    std::erase_if(workers_, [&](const auto& worker) { return worker->done && finish(*worker); });
  }

  /// point [batch, size], members [batch, count, size] and weights [batch, count] with as many rows
  /// as the instance of most members needs.
  auto result() const {
    std::size_t count = 1;
    for (const Result& r : results_) count = std::max(count, r.weights.size());
    std::vector<T> point, members(batch_ * count * size_), weights(batch_ * count);
    for (std::size_t b = 0; b < batch_; ++b) {
      const Result& r = results_[b];
      if (r.point.empty()) {
        point.insert(point.end(), size_, not_a_number<T>);
        std::fill_n(members.begin() + b * count * size_, count * size_, not_a_number<T>);
        std::fill_n(weights.begin() + b * count, count, not_a_number<T>);
      } else {
        point.insert(point.end(), r.point.begin(), r.point.end());
        std::copy(r.members.begin(), r.members.end(), members.begin() + b * count * size_);
        std::copy(r.weights.begin(), r.weights.end(), weights.begin() + b * count);
      }
    }
    const auto size = static_cast<std::size_t>(size_);
    return std::make_tuple(array(std::move(point), {batch_, size}),
                           array(std::move(members), {batch_, count, size}),
                           array(std::move(weights), {batch_, count}));
  }

 private:
  struct Result {
    std::vector<T> point, members, weights;
  };

  void start() {
    const T* const utility = utility_.data() + next_ * size_;
    const std::size_t instance = next_++;
    if (spoilt(SerialTeam<>(), Vector<const T>{utility, size_})) return;
    auto worker = std::make_unique<Worker<T>>(size_, plan_);
    worker->instance = instance;
    worker->begin(utility);
    if (worker->done) {
      finish(*worker);
    } else {
      workers_.push_back(std::move(worker));
    }
  }
  bool finish(Worker<T>& worker) {
    if (worker.found) {
      results_[worker.instance] = {std::move(worker.point), std::move(worker.members),
                                   std::move(worker.weights)};
    }
    return true;
  }

  Plan plan_;
  std::size_t batch_;
  int size_;
  std::vector<T> utility_;
  std::vector<Result> results_;
  std::vector<std::unique_ptr<Worker<T>>> workers_;
  std::size_t window_ = 1, next_ = 0;
};

/// A set of a few members.
template <class T>
struct Listed {
  const T* member;  // [count, size]
  int count;

  void operator()(Vector<const T> utility, Vector<T> x) const {
    T most = -infinity<T>;
    const T* best = member;
    for (int i = 0; i < count; ++i) {
      const T* const row = member + static_cast<std::size_t>(i) * x.size;
      T value = 0;
      for (int e = 0; e < x.size; ++e) value += row[e] == T(0) ? T(0) : row[e] * utility[e];
      if (value > most) most = value, best = row;
    }
    std::copy_n(best, x.size, x.data);
  }
};

/// The derivative of the projections of `utility`, [batch, size], times `cotangent`: where they
/// move among the members that they are made of, members [batch, count, size] and weights [batch,
/// count].
template <class T>
auto projection_vjp(Rows<T> utility, nb::ndarray<const T, nb::ndim<3>, nb::c_contig> members,
                    Rows<T> weights, Rows<T> cotangent) {
  const std::size_t batch = utility.shape(0), count = members.shape(1), size = utility.shape(1);
  std::vector<T> out(batch * size);
  {
    nb::gil_scoped_release others_may_run;
    using Structure = Oracle<Listed<T>>;
    const Pages memory(relax_scratch<SquaredNorm, T>(Structure{static_cast<int>(size), {}}));
    const SerialTeam<> team;
    for (std::size_t b = 0; b < batch; ++b) {
      const int entries = static_cast<int>(size);
      const T* const weight = weights.data() + b * count;
      const Listed<T> listed{members.data() + b * count * size,
                             static_cast<int>(std::find(weight, weight + count, T(0)) - weight)};
      const Vector<const T> u{utility.data() + b * size, entries},
          g{cotangent.data() + b * size, entries};
      const Vector<T> row{out.data() + b * size, entries};
      if (is_nan(weight[0]) || spoilt(team, g)) {
        spoil(team, row);
        continue;
      }
      SquaredNorm::relax_vjp(Structure{entries, listed}, team, u, static_cast<T>(entries), u, g,
                             row, Scratch(memory.start()));
    }
  }
  return array(std::move(out), {batch, size});
}

template <class T>
void add(nb::module_& module, const char* name) {
  nb::class_<Projections<T>>(module, name)
      .def("ask", &Projections<T>::ask)
      .def("answer", &Projections<T>::answer, "answers"_a)
      .def("result", &Projections<T>::result);
  module.def(
      "projections",
      [](Rows<T> utility, bool exact, double tolerance, int steps) {
        return std::make_unique<Projections<T>>(utility, exact, tolerance, steps);
      },
      "utility"_a.noconvert(), "exact"_a, "tolerance"_a, "steps"_a);
  module.def("projection_vjp", &projection_vjp<T>, "utility"_a.noconvert(), "members"_a.noconvert(),
             "weights"_a.noconvert(), "cotangent"_a.noconvert());
}

}  // namespace

/// Adds what softtricks.Oracle is made of to the module.
void add_oracle(nb::module_& module) {
  add<float>(module, "Projections32");
  add<double>(module, "Projections64");
}
