#include "learning_to_explain/aspect_files.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/error.hpp"

namespace learning_to_explain {
namespace {

using experiments::UserError;
using Json = nlohmann::json;

constexpr double most_changed = 0.6;  // of a text's words, by an edit that is believed

[[noreturn]] void refuse(const Path& path, const std::string& what) {
  throw UserError("--files: '" + path.string() + "': " + what);
}

std::string contents(const Path& path) {
  for (const char* packed : {".gz", ".zip"}) {
    const Path archive = path.string() + packed;
    if (!std::filesystem::exists(path) && std::filesystem::exists(archive)) {
      refuse(archive, "unpack it first");
    }
  }
  if (!std::filesystem::exists(path)) refuse(path, "there is no such file");
  return experiments::read_file(path, "corpus file");
}

/// Calls visit(line) for each line that is not empty; what it throws becomes one sentence.
void each_line(const Path& path, const std::function<void(const std::string&)>& visit) {
  std::istringstream text(contents(path));
  std::size_t number = 0;
  for (std::string line; std::getline(text, line);) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) continue;
    try {
      visit(line);
    } catch (const std::exception& error) {
      refuse(path, "line " + std::to_string(number) + ": " + error.what());
    }
  }
}

/// A file that may be missing; packed, it is there, and `each_line` refuses it.
bool there(const Path& path) {
  return std::filesystem::exists(path) || std::filesystem::exists(path.string() + ".gz");
}

double checked_rating(double rating) {
  if (rating >= 0 && rating <= 1) return rating;
  throw std::runtime_error("expected ratings in [0, 1], not " + std::to_string(rating));
}

std::vector<std::string> blank_separated(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// ---- Lei et al. ---------------------------------------------------------------------------------

Review rated_line(const std::string& line, std::size_t aspect) {
  const std::size_t tab = line.find('\t');
  if (tab == std::string::npos) throw std::runtime_error("expected ratings, a TAB and words");
  const auto ratings = blank_separated(line.substr(0, tab));
  if (ratings.size() <= aspect) {
    throw std::runtime_error("expected rating number " + std::to_string(aspect + 1) +
                             ", that of --aspect, among " + std::to_string(ratings.size()));
  }
  return {blank_separated(line.substr(tab + 1)), checked_rating(std::stod(ratings.at(aspect))), {}};
}

Review annotated_line(const std::string& line, std::size_t aspect) {
  const Json json = Json::parse(line);
  Review review{
      json.at("x").get<std::vector<std::string>>(), checked_rating(json.at("y").at(aspect)), {}};
  review.truth.assign(review.words.size(), 0);
  for (const auto& [begin, end] :
       json.at(std::to_string(aspect)).get<std::vector<std::pair<std::size_t, std::size_t>>>()) {
    for (std::size_t i = begin; i < std::min(end, review.truth.size()); ++i) review.truth[i] = 1;
  }
  return review;
}

// ---- CEBaB --------------------------------------------------------------------------------------

/// Its workers' mean label of an aspect; NaN where it was given to none.
double label(const Json& text, const std::string& aspect) {
  const Json& given = text.at(aspect + "_aspect_label_distribution");
  if (!given.is_object()) return NAN;
  double sum = 0, count = 0;
  for (const auto& [name, votes] : given.items()) {
    const double weight = votes;
    count += weight;
    sum += weight * (name == "Positive" ? 1 : name == "Negative" ? 0 : 0.5);
  }
  return sum / count;
}

double share(const std::vector<std::uint8_t>& marks) {
  return static_cast<double>(std::ranges::count(marks, 1)) / static_cast<double>(marks.size());
}

/// Original texts of a split whose edits tell which words speak of the aspect.
std::vector<Review> silenced(const Json& texts, const std::string& aspect) {
  std::map<std::string, Review> originals;
  const auto key = [](const Json& text) { return text.at("original_id").get<std::string>(); };
  const auto words = [](const Json& text) {
    return words_of(text.at("description").get<std::string>());
  };
  for (const Json& text : texts) {
    const double rating = label(text, aspect);
    if (text.at("is_original") && rating == rating)
      originals[key(text)] = {words(text), rating, {}};
  }
  for (const Json& text : texts) {
    const auto original = originals.find(key(text));
    if (text.at("edit_type") != aspect || text.at("edit_goal") != "unknown" ||
        text.at(aspect + "_aspect_majority") != "unknown" || original == originals.end()) {
      continue;
    }
    Review& review = original->second;
    std::vector<std::uint8_t> changed = changed_words(review.words, words(text));
    if (std::ranges::count(changed, 1) == 0 || share(changed) > most_changed) continue;
    if (review.truth.empty() || share(changed) < share(review.truth)) {
      review.truth = std::move(changed);
    }
  }
  std::vector<Review> annotated;
  for (auto& [id, review] : originals) {
    if (!review.truth.empty()) annotated.push_back(std::move(review));
  }
  return annotated;
}

std::vector<Review> labelled(const Json& texts, const std::string& aspect) {
  std::vector<Review> reviews;
  for (const Json& text : texts) {
    const double rating = label(text, aspect);
    if (rating != rating) continue;
    reviews.push_back({words_of(text.at("description").get<std::string>()), rating, {}});
  }
  return reviews;
}

/// Calls visit(texts); what a foreign file makes the JSON library throw becomes one sentence.
void with_texts(const Path& path, const std::function<void(const Json&)>& visit) {
  const Json texts = Json::parse(contents(path), nullptr, false);
  if (!texts.is_array()) refuse(path, "expected a JSON list of texts");
  try {
    visit(texts);
  } catch (const Json::exception& error) {
    refuse(path, error.what());
  }
}

// ---- counterfactual IMDb ------------------------------------------------------------------------

/// The fields of one line, of which some are in double quotes, quotes within them doubled.
std::vector<std::string> tab_separated(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && (quoted || fields.back().empty())) {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"') {
        fields.back() += line[++i];
      } else {
        quoted = !quoted;
      }
    } else if (c == '\t' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

std::string without_tags(std::string text) {
  for (std::size_t at; (at = text.find("<br />")) != std::string::npos;) text.replace(at, 6, " ");
  return text;
}

std::vector<Review> pairs(const Path& path) {
  std::vector<Review> reviews;
  std::string waiting;  // the batch of a review whose partner is the next line
  bool heading = true;
  each_line(path, [&](const std::string& line) {
    const auto fields = tab_separated(line);
    if (std::exchange(heading, false)) return;
    if (fields.size() != 3) throw std::runtime_error("expected sentiment, text and batch");
    if (fields[0] != "Positive" && fields[0] != "Negative") {
      throw std::runtime_error("expected Positive or Negative, not '" + fields[0] + "'");
    }
    reviews.push_back({words_of(without_tags(fields[1])), fields[0] == "Positive" ? 1.0 : 0.0, {}});
    if (waiting.empty()) {
      waiting = fields[2];
      return;
    }
    if (waiting != fields[2]) throw std::runtime_error("the review before has no partner");
    waiting.clear();
    Review &one = reviews[reviews.size() - 2], &other = reviews.back();
    one.truth = changed_words(one.words, other.words);
    other.truth = changed_words(other.words, one.words);
  });
  if (!waiting.empty()) refuse(path, "the last review has no partner");
  return reviews;
}

}  // namespace

Corpus load_lei(const Path& folder, int aspect) {
  const auto which = static_cast<std::size_t>(aspect);
  Corpus corpus;
  const std::string stem = "reviews.aspect" + std::to_string(aspect);
  const auto read = [&](const std::string& name, std::vector<Review>& into, const auto& parse) {
    each_line(folder / name, [&](const std::string& line) { into.push_back(parse(line, which)); });
  };
  read(stem + ".train.txt", corpus.train, rated_line);
  read(stem + ".heldout.txt", corpus.validation, rated_line);
  if (there(folder / "annotations.json")) {
    read("annotations.json", corpus.annotated, annotated_line);
  }
  const auto middle =
      corpus.validation.begin() + static_cast<std::ptrdiff_t>(corpus.validation.size() / 2);
  corpus.test.assign(middle, corpus.validation.end());
  corpus.validation.erase(middle, corpus.validation.end());
  const Path vectors = folder / "review+wiki.filtered.200.txt";
  if (!there(vectors)) return corpus;
  each_line(vectors, [&](const std::string& line) {
    const auto fields = blank_separated(line);
    std::vector<float> vector;
    for (std::size_t i = 1; i < fields.size(); ++i) vector.push_back(std::stof(fields[i]));
    if (vector.empty() ||
        (!corpus.vectors.empty() && corpus.vectors.begin()->second.size() != vector.size())) {
      throw std::runtime_error("expected a word and its vector, as long as the others");
    }
    corpus.vectors[fields[0]] = std::move(vector);
  });
  return corpus;
}

Corpus load_cebab(const Path& folder, const std::string& aspect) {
  Corpus corpus;
  with_texts(folder / "train_inclusive.json",
             [&](const Json& texts) { corpus.train = labelled(texts, aspect); });
  with_texts(folder / "dev.json",
             [&](const Json& texts) { corpus.validation = labelled(texts, aspect); });
  with_texts(folder / "test.json", [&](const Json& texts) {
    corpus.test = labelled(texts, aspect);
    corpus.annotated = silenced(texts, aspect);
  });
  return corpus;
}

Corpus load_imdb_pairs(const Path& folder) {
  Corpus corpus;
  corpus.train = pairs(folder / "train_paired.tsv");
  corpus.validation = pairs(folder / "dev_paired.tsv");
  corpus.test = pairs(folder / "test_paired.tsv");
  corpus.annotated = corpus.test;
  return corpus;
}

}  // namespace learning_to_explain
