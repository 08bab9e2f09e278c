#pragma once
/// What the tests of matchings share: sizes too large to enumerate, and referees for them.
#include <gtest/gtest.h>

#include "../laws/enumeration.hpp"

namespace softtricks::laws {

inline const double inf = std::numeric_limits<double>::infinity();

inline std::size_t at(int pairs, int i, int j) { return static_cast<std::size_t>(i * pairs + j); }

/// The largest difference of a row's or column's sum from 1.
inline double unbalanced(int pairs, const Numbers& x) {
  double worst = 0;
  for (int i = 0; i < pairs; ++i) {
    double row = 0, column = 0;
    for (int j = 0; j < pairs; ++j) {
      row += x[at(pairs, i, j)];
      column += x[at(pairs, j, i)];
    }
    worst = std::max({worst, std::fabs(row - 1), std::fabs(column - 1)});
  }
  return worst;
}

/// The hull: doubly stochastic matrices [Birkhoff 1946].
inline double outside(int pairs, const Numbers& x) {
  return std::max(unbalanced(pairs, x), -*std::min_element(x.begin(), x.end()));
}

inline Engines both(int pairs) { return library_engines("matching", {pairs}); }

/// The textbook's Hungarian method in long double, one row at a time: the value of the best.
inline Real best_value(int pairs, const Numbers& u) {
  const std::size_t n = static_cast<std::size_t>(pairs);
  std::vector<Real> row(n + 1), column(n + 1);
  std::vector<std::size_t> owner(n + 1, 0), way(n + 1, 0);
  const auto cost = [&](std::size_t i, std::size_t j) -> Real {
    return -static_cast<Real>(u[(i - 1) * n + j - 1]) - row[i] - column[j];
  };
  for (std::size_t i = 1; i <= n; ++i) {
    std::vector<Real> least(n + 1, std::numeric_limits<Real>::infinity());
    std::vector<bool> used(n + 1, false);
    std::size_t j = 0;
    owner[0] = i;
    do {
      used[j] = true;
      std::size_t next = 0;
      Real step = std::numeric_limits<Real>::infinity();
      for (std::size_t k = 1; k <= n; ++k) {
        if (used[k]) continue;
        const Real reduced = cost(owner[j], k);
        if (reduced < least[k]) {
          least[k] = reduced;
          way[k] = j;
        }
        if (least[k] < step) {
          step = least[k];
          next = k;
        }
      }
      for (std::size_t k = 0; k <= n; ++k) {
        if (used[k]) {
          row[owner[k]] += step;
          column[k] -= step;
        } else {
          least[k] -= step;
        }
      }
      j = next;
    } while (owner[j] != 0);
    for (; j != 0; j = way[j]) owner[j] = owner[way[j]];
  }
  Real value = 0;
  for (std::size_t j = 1; j <= n; ++j) value += u[(owner[j] - 1) * n + j - 1];
  return value;
}

inline Numbers utilities_of_kind(Random& random, int pairs, const std::string& kind) {
  const std::size_t size = static_cast<std::size_t>(pairs * pairs);
  Numbers u = normal(random, size, 1);
  for (int i = 0; i < pairs; ++i) {
    for (int j = 0; j < pairs; ++j) {
      double& value = u[at(pairs, i, j)];
      if (kind == "few integers") value = std::round(value);
      if (kind == "integers") value = std::round(100 * value);
      if (kind == "products") value = -(i + 1.0) * (j + 1.0);
      if (kind == "all equal") value = -3;
      if (kind == "far") value += 1000;
      if (kind == "by rows") value = i;
      if (kind == "masked" && random() % 3 != 0 && (i + 5) % pairs != j) value = -inf;
      if (kind == "sparse" && random() % 8 != 0 && (i + 5) % pairs != j) value = -1000;
    }
  }
  return u;
}

}  // namespace softtricks::laws
