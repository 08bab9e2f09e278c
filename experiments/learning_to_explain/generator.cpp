#include "learning_to_explain/generator.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <random>

#include "common/seeds.hpp"

namespace learning_to_explain {
namespace {

using Words = std::vector<std::string>;

class Draw {
 public:
  Draw(const ReviewLaw& of, std::uint64_t index)
      : law(of),
        engine_(static_cast<std::uint64_t>(experiments::seed_for(
            static_cast<std::int64_t>(of.seed), 0, static_cast<std::int64_t>(index)))) {}
  double uniform() { return (static_cast<double>(engine_() >> 11) + 0.5) * 0x1p-53; }
  bool chance(double p) { return uniform() < p; }
  std::size_t below(std::size_t n) {
    return std::min(n - 1, static_cast<std::size_t>(uniform() * static_cast<double>(n)));
  }
  double normal() {
    return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform());
  }
  const std::string& of(const Words& words) { return words[below(words.size())]; }

  const ReviewLaw& law;

 private:
  std::mt19937_64 engine_;
};

/// What only an aspect says. Nouns that two aspects share are in both lists.
struct Aspect {
  double share;  // of a review's words
  Words nouns, good, bad;
};

const std::array<Aspect, aspect_count>& aspects() {
  static const std::array<Aspect, aspect_count> all{{
      {.178,
       {"head", "color", "foam", "lacing", "body", "pour", "bubbles", "hue", "crown", "glass"},
       {"gleaming", "radiant", "golden", "picturesque", "inviting"},
       {"murky", "drab", "muddy", "sickly", "headless"}},
      {.145,
       {"nose", "smell", "aroma", "scent", "bouquet", "notes", "hops", "malt", "whiff"},
       {"fragrant", "perfumed", "floral", "zesty", "appetizing"},
       {"skunky", "odorless", "musty", "reeking", "sulfurous"}},
      {.106,
       {"mouthfeel", "body", "carbonation", "texture", "finish", "feel", "fizz"},
       {"silky", "velvety", "creamy", "plush", "lively"},
       {"watery", "slick", "gritty", "prickly", "lifeless"}},
      {.280,
       {"taste", "flavor", "malt", "hops", "notes", "finish", "caramel", "yeast", "fruit", "spice"},
       {"delicious", "tasty", "luscious", "savory", "mouthwatering"},
       {"cloying", "bland", "soapy", "metallic", "medicinal"}},
      {.244,
       {"beer", "drinkability", "brew", "bottle", "price", "pint", "style", "choice"},
       {"recommended", "memorable", "sessionable", "worthwhile", "addictive"},
       {"forgettable", "overpriced", "undrinkable", "regrettable", "overrated"}},
  }};
  return all;
}

const Words good_adjectives{"crisp",  "rich",   "balanced", "bold",   "clean",   "smooth",
                            "bright", "lovely", "full",     "robust", "pleasant"};
const Words bad_adjectives{"thin",  "harsh", "dull",   "stale", "flat", "weak",
                           "rough", "muted", "uneven", "poor",  "faint"};
const Words upholding{"very", "really", "truly", "quite", "wonderfully", "surely"};
const Words overturning{"not", "hardly", "never", "barely", "far from", "anything but"};
const Words joints{",", "and", "with", "while", "plus", "then", "again", "on top of"};
const Words verbs{"is", "seems", "stays", "comes across as", "was", "turns out"};
const Words fillers{"i",    "had",    "this", "at",    "a",      "friend", "house", "last", "week",
                    "from", "the",    "my",   "local", "store",  "cold",   "year",  "in",   "town",
                    "we",   "shared", "it",   "after", "dinner", "bought", "on",    "sale"};

void append(Words& words, const std::string& text) {
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

/// "not very crisp", "truly crisp": good or bad as a whole.
void append_phrase(Draw& draw, bool good, Words& words) {
  const bool upheld = draw.chance(0.7);
  const bool good_adjective = good == upheld;
  append(words, draw.of(upheld ? upholding : overturning));
  if (!upheld && draw.chance(0.5)) words.push_back("very");
  words.push_back(draw.of(good_adjective ? good_adjectives : bad_adjectives));
}

Words clause(Draw& draw, const Aspect& aspect, double rating) {
  const bool good = draw.chance(rating);
  Words words;
  if (draw.chance(draw.law.own_words)) {
    words.push_back(draw.of(aspect.nouns));
    append(words, draw.of(verbs));
    words.push_back(draw.of(good ? aspect.good : aspect.bad));
  } else if (draw.chance(0.5)) {
    words.push_back("the");
    words.push_back(draw.of(aspect.nouns));
    append(words, draw.of(verbs));
    append_phrase(draw, good, words);
  } else {
    append_phrase(draw, good, words);
    words.push_back(draw.of(aspect.nouns));
  }
  return words;
}

/// A sentence of `length` words, its full stop included: whole clauses, then words of no meaning.
Words sentence(Draw& draw, const Aspect* aspect, double rating, std::size_t length) {
  Words words;
  while (aspect != nullptr) {
    Words next;
    if (!words.empty()) append(next, draw.of(joints));
    for (std::string& word : clause(draw, *aspect, rating)) next.push_back(std::move(word));
    if (words.size() + next.size() + 1 > length) break;
    words.insert(words.end(), next.begin(), next.end());
  }
  while (words.size() + 1 < length) words.push_back(draw.of(fillers));
  words.emplace_back(".");
  return words;
}

std::array<double, aspect_count> draw_ratings(Draw& draw) {
  const double common = draw.normal();
  std::array<double, aspect_count> ratings{};
  for (double& rating : ratings) {
    const double shared = draw.law.aspect_correlation;
    const double z = std::sqrt(shared) * common + std::sqrt(1 - shared) * draw.normal();
    rating = std::round(10 * std::clamp(0.5 + 0.2 * z, 0.0, 1.0)) / 10;
  }
  return ratings;
}

/// The order in which a review takes up the aspects: the usual one, or any.
std::array<int, aspect_count> draw_order(Draw& draw) {
  std::array<int, aspect_count> order{0, 1, 3, 2, 4};
  if (draw.chance(0.3)) {
    for (std::size_t i = order.size(); i-- > 1;) std::swap(order[i], order[draw.below(i + 1)]);
  }
  return order;
}

void add(Review& review, const Words& words, bool truth) {
  review.words.insert(review.words.end(), words.begin(), words.end());
  review.truth.resize(review.words.size(), truth ? 1 : 0);
}

/// One or two sentences of `length` words altogether.
void add_passage(Draw& draw, Review& review, int which, double rating, std::size_t length,
                 bool truth) {
  const Aspect& aspect = aspects()[static_cast<std::size_t>(which)];
  std::size_t first = length;
  if (length >= 16 && draw.chance(0.6)) {
    first = static_cast<std::size_t>(static_cast<double>(length) * (0.35 + 0.3 * draw.uniform()));
  }
  add(review, sentence(draw, &aspect, rating, first), truth);
  if (first < length) add(review, sentence(draw, &aspect, rating, length - first), truth);
}

}  // namespace

Review draw_review(const ReviewLaw& law, std::uint64_t index, int aspect) {
  Draw draw(law, index);
  const auto ratings = draw_ratings(draw);
  const double total = std::clamp(117 * std::exp(0.405 * draw.normal()), 30.0, 413.0);
  Review review;
  review.rating = ratings[static_cast<std::size_t>(aspect)];
  double planned = 0;  // so that rounding does not add up
  const auto next_length = [&](double share) {
    planned += share * total;
    return static_cast<std::size_t>(
        std::max(0.0, std::round(planned) - static_cast<double>(review.words.size())));
  };
  double named = 0;
  for (const Aspect& one : aspects()) named += one.share;
  const std::size_t opening = next_length(1 - named);
  if (opening > 1) add(review, sentence(draw, nullptr, 0, opening), false);
  for (const int which : draw_order(draw)) {
    const auto place = static_cast<std::size_t>(which);
    const std::size_t length = std::max<std::size_t>(2, next_length(aspects()[place].share));
    add_passage(draw, review, which, ratings[place], length, which == aspect);
  }
  return review;
}

Corpus draw_corpus(const ReviewLaw& law, int aspect, std::int64_t train, std::int64_t validation,
                   std::int64_t test) {
  Corpus corpus;
  std::uint64_t index = 0;
  const auto fill = [&](std::vector<Review>& part, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) part.push_back(draw_review(law, index++, aspect));
  };
  fill(corpus.train, train);
  fill(corpus.validation, validation);
  fill(corpus.test, test);
  corpus.annotated = corpus.test;
  return corpus;
}

}  // namespace learning_to_explain
