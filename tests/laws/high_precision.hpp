#pragma once
/// Marginals and their derivative in arithmetic of as many digits as it takes, by textbook
/// formulas that share nothing with the library's.
#include <cmath>
#include <limits>
#include <vector>

#include <boost/multiprecision/mpfr.hpp>

namespace softtricks::laws {

using Digits = boost::multiprecision::number<boost::multiprecision::mpfr_float_backend<0>,
                                             boost::multiprecision::et_off>;
using DigitVector = std::vector<Digits>;

struct Reference {
  DigitVector marginal, derivative;  // of all marginals in a direction
};

inline double finite_spread(const std::vector<double>& utility) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double u : utility) {
    if (std::isfinite(u)) {
      low = std::min(low, u);
      high = std::max(high, u);
    }
  }
  return high - low;
}

inline DigitVector weights_of(const std::vector<double>& utility) {
  double top = -std::numeric_limits<double>::infinity();
  for (const double u : utility) top = std::max(top, u);
  DigitVector w;
  for (const double u : utility) {
    w.push_back(std::isfinite(u) ? Digits(exp(Digits(u) - Digits(top))) : Digits(0));
  }
  return w;
}

class DigitMatrix {
 public:
  explicit DigitMatrix(int n) : n_(n), data_(static_cast<std::size_t>(n * n), Digits(0)) {}
  Digits& operator()(int i, int j) { return data_[static_cast<std::size_t>(i * n_ + j)]; }
  const Digits& operator()(int i, int j) const {
    return data_[static_cast<std::size_t>(i * n_ + j)];
  }
  int rows() const { return n_; }

 private:
  int n_;
  DigitVector data_;
};

/// The inverse of a symmetric positive definite matrix A = L D L', as L'^-1 D^-1 L^-1.
inline DigitMatrix inverse(const DigitMatrix& a) {
  const int n = a.rows();
  DigitMatrix l(n), m(n), result(n);
  DigitVector d(static_cast<std::size_t>(n));
  for (int j = 0; j < n; ++j) {
    Digits pivot = a(j, j);
    for (int k = 0; k < j; ++k) pivot -= l(j, k) * l(j, k) * d[static_cast<std::size_t>(k)];
    d[static_cast<std::size_t>(j)] = pivot;
    for (int i = j + 1; i < n; ++i) {
      Digits sum = a(i, j);
      for (int k = 0; k < j; ++k) sum -= l(i, k) * l(j, k) * d[static_cast<std::size_t>(k)];
      l(i, j) = sum / pivot;
    }
  }
  for (int j = 0; j < n; ++j) {  // m = L^-1
    m(j, j) = 1;
    for (int i = j + 1; i < n; ++i) {
      Digits sum = -l(i, j);
      for (int k = j + 1; k < i; ++k) sum -= l(i, k) * m(k, j);
      m(i, j) = sum;
    }
  }
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j <= i; ++j) {
      Digits sum = 0;
      for (int k = i; k < n; ++k) sum += m(k, i) * m(k, j) / d[static_cast<std::size_t>(k)];
      result(i, j) = result(j, i) = sum;
    }
  }
  return result;
}

/// Kirchhoff: with the last vertex's row and column struck out of the Laplacian, G its inverse,
/// the marginal of e = (i, j) is w_e (G_ii + G_jj - 2 G_ij). A change dw moves G by -G dLaplacian
/// G.
class TreeReference {
 public:
  TreeReference(int nodes, const std::vector<double>& utility) : n_(nodes), g_(0) {
    const double digits = 400 + finite_spread(utility) / std::log(10.0) * 1.05;
    Digits::default_precision(static_cast<unsigned>(digits));
    w_ = weights_of(utility);
    g_ = inverse(laplacian(w_));
  }

  Reference along(const std::vector<double>& direction) const {
    DigitVector change(w_.size());
    for (std::size_t e = 0; e < w_.size(); ++e) change[e] = w_[e] * direction[e];
    const DigitMatrix d = product(product(g_, laplacian(change)), g_);
    Reference result;
    for_each_edge([&](int i, int j, std::size_t e) {
      result.marginal.push_back(w_[e] * between(g_, i, j));
      result.derivative.push_back(change[e] * between(g_, i, j) - w_[e] * between(d, i, j));
    });
    return result;
  }

 private:
  template <class F>
  void for_each_edge(F f) const {
    std::size_t e = 0;
    for (int i = 0; i < n_; ++i) {
      for (int j = i + 1; j < n_; ++j) f(i, j, e++);
    }
  }
  DigitMatrix laplacian(const DigitVector& w) const {
    DigitMatrix l(n_ - 1);
    for_each_edge([&](int i, int j, std::size_t e) {
      l(i, i) += w[e];
      if (j == n_ - 1) return;
      l(j, j) += w[e];
      l(i, j) -= w[e];
      l(j, i) -= w[e];
    });
    return l;
  }
  Digits between(const DigitMatrix& g, int i, int j) const {
    return j == n_ - 1 ? g(i, i) : Digits(g(i, i) + g(j, j) - g(i, j) - g(j, i));
  }
  static DigitMatrix product(const DigitMatrix& a, const DigitMatrix& b) {
    const int n = a.rows();
    DigitMatrix c(n);
    for (int i = 0; i < n; ++i) {
      for (int k = 0; k < n; ++k) {
        for (int j = 0; j < n; ++j) c(i, j) += a(i, k) * b(k, j);
      }
    }
    return c;
  }

  int n_;
  DigitVector w_;
  DigitMatrix g_;
};

/// Gauss and Jordan, with the largest pivot of each column.
inline DigitMatrix general_inverse(DigitMatrix a) {
  const int n = a.rows();
  DigitMatrix result(n);
  for (int i = 0; i < n; ++i) result(i, i) = 1;
  for (int k = 0; k < n; ++k) {
    int pivot = k;
    for (int i = k + 1; i < n; ++i) {
      if (abs(a(i, k)) > abs(a(pivot, k))) pivot = i;
    }
    const Digits scale = 1 / a(pivot, k);
    for (int j = 0; j < n; ++j) {
      std::swap(a(k, j), a(pivot, j));
      std::swap(result(k, j), result(pivot, j));
      a(k, j) *= scale;
      result(k, j) *= scale;
    }
    for (int i = 0; i < n; ++i) {
      const Digits factor = a(i, k);
      if (i == k || factor == 0) continue;
      for (int j = 0; j < n; ++j) {
        a(i, j) -= factor * a(k, j);
        result(i, j) -= factor * result(k, j);
      }
    }
  }
  return result;
}

/// Tutte: the sum over arborescences is a determinant, linear in the weight of every arc; of a
/// Laplacian, or where one arc leaves the root (what stands above a free root), of one whose first
/// row holds the root's weights [Koo et al. 2007]. root must be 0 or -1 (free).
class ArborescenceReference {
 public:
  ArborescenceReference(int nodes, int root, bool single, const std::vector<double>& utility)
      : nodes_(nodes), free_(root < 0), single_(single || root < 0), g_(0) {
    const double digits = 400 + finite_spread(utility) / std::log(10.0) * 2.2;
    Digits::default_precision(static_cast<unsigned>(digits));
    w_ = weights_of(utility);
    g_ = general_inverse(matrix_of(w_));
  }

  Reference along(const std::vector<double>& direction) const {
    DigitVector change(w_.size());
    for (std::size_t e = 0; e < w_.size(); ++e) change[e] = w_[e] * direction[e];
    const DigitMatrix d = product(product(g_, matrix_of(change)), g_);
    Reference result{DigitVector(w_.size(), Digits(0)), DigitVector(w_.size(), Digits(0))};
    for_each_arc([&](int i, int j, std::size_t e) {
      result.marginal[e] = w_[e] * rate(g_, i, j);
      result.derivative[e] = change[e] * rate(g_, i, j) - w_[e] * rate(d, i, j);
    });
    return result;
  }

 private:
  int order() const { return free_ ? nodes_ : nodes_ - 1; }
  /// f(i, j, entry): rows and columns of the matrix, i = -1 for the root.
  template <class F>
  void for_each_arc(F f) const {
    const int skip = free_ ? 0 : 1;
    for (int i = 0; i < nodes_; ++i) {
      for (int j = skip; j < nodes_; ++j) {
        const bool from_root = free_ ? i == j : i == 0;
        if (i == j && !free_) continue;
        f(from_root ? -1 : i - skip, j - skip, static_cast<std::size_t>(i * nodes_ + j));
      }
    }
  }
  DigitMatrix matrix_of(const DigitVector& w) const {
    DigitMatrix l(order());
    for_each_arc([&](int i, int j, std::size_t e) {
      if (i < 0 && single_) {
        l(0, j) += w[e];
        return;
      }
      if (!single_ || j != 0) l(j, j) += w[e];
      if (i >= 0 && (!single_ || i != 0)) l(i, j) -= w[e];
    });
    return l;
  }
  /// How the logarithm of the determinant changes with an arc's weight, from the inverse.
  Digits rate(const DigitMatrix& g, int i, int j) const {
    if (i < 0 && single_) return g(j, 0);
    Digits sum = !single_ || j != 0 ? g(j, j) : Digits(0);
    if (i >= 0 && (!single_ || i != 0)) sum -= g(j, i);
    return sum;
  }
  static DigitMatrix product(const DigitMatrix& a, const DigitMatrix& b) {
    const int n = a.rows();
    DigitMatrix c(n);
    for (int i = 0; i < n; ++i) {
      for (int k = 0; k < n; ++k) {
        for (int j = 0; j < n; ++j) c(i, j) += a(i, k) * b(k, j);
      }
    }
    return c;
  }

  int nodes_;
  bool free_, single_;
  DigitVector w_;
  DigitMatrix g_;
};

/// Elementary symmetric polynomials: e_k(w), and e_{k-1} of all items but i from those of the items
/// before and after; derivatives by the product rule. Sums of positive numbers: 60 digits do.
inline Reference subset_reference(int k, const std::vector<double>& utility,
                                  const std::vector<double>& direction) {
  Digits::default_precision(60);
  const DigitVector w = weights_of(utility);
  const std::size_t n = w.size(), columns = static_cast<std::size_t>(k) + 1;
  struct Jet {
    Digits value{0}, change{0};
  };
  std::vector<Jet> before((n + 1) * columns);
  before[0].value = 1;
  const auto add_item = [&](const Jet* from, Jet* to, std::size_t i) {
    to[0] = from[0];
    for (std::size_t j = 1; j < columns; ++j) {
      to[j].value = from[j].value + w[i] * from[j - 1].value;
      to[j].change =
          from[j].change + w[i] * (from[j - 1].change + from[j - 1].value * direction[i]);
    }
  };
  for (std::size_t i = 0; i < n; ++i) add_item(&before[i * columns], &before[(i + 1) * columns], i);
  const Jet all = before[n * columns + columns - 1];
  std::vector<Jet> after(columns), next(columns);
  after[0].value = 1;
  Reference result{DigitVector(n), DigitVector(n)};
  for (std::size_t i = n; i-- > 0;) {
    Jet others;
    for (std::size_t j = 0; j + 1 < columns; ++j) {
      const Jet &a = before[i * columns + j], &b = after[columns - 2 - j];
      others.value += a.value * b.value;
      others.change += a.value * b.change + a.change * b.value;
    }
    const Digits share = w[i] * others.value / all.value;
    result.marginal[i] = share;
    result.derivative[i] = w[i] * (others.change + others.value * direction[i]) / all.value -
                           share * all.change / all.value;
    add_item(after.data(), next.data(), i);
    std::swap(after, next);
  }
  return result;
}

}  // namespace softtricks::laws
