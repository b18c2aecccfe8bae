#include "analysis/music_measures.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "analysis/pitch_measures.h"
#include "analysis/repetition.h"
#include "analysis/self_similarity.h"
#include "analysis/time_measures.h"

namespace etude::analysis {
namespace {

constexpr const char* kMusPy = "MusPy (Dong et al. 2020)";
constexpr const char* kJazz = "Wu and Yang 2020";
constexpr const char* kLerch = "Yang and Lerch 2020";
constexpr const char* kOurs = "Etude";

struct Row {
  MusicMeasure measure;
  double (*of)(const data::Score&);
};

double in_best_key(const data::Score& score) {
  const auto key = best_key(score);
  return key ? pitch_in_scale_rate(score, *key) : std::numeric_limits<double>::quiet_NaN();
}

const std::vector<Row>& rows() {
  static const std::vector<Row> all{
      {{"pitch_range", "From the lowest to the highest note", "semitones", kMusPy}, pitch_range},
      {{"n_pitches_used", "How many different pitches are used", "pitches", kMusPy}, pitches_used},
      {{"n_pitch_classes_used", "How many of the twelve pitch classes (pitches without their octave) are used",
        "pitch classes", kMusPy},
       pitch_classes_used},
      {{"polyphony", "How many notes sound together, while any does", "notes", kMusPy}, polyphony},
      {{"polyphony_rate", "Share of the time in which three or more notes sound together", "share", kMusPy},
       polyphony_rate},
      {{"pitch_in_scale_rate", "Share of the notes that belong to the scale of the key that fits best", "share",
        "MusPy; the key after Krumhansl 1990"},
       in_best_key},
      {{"scale_consistency", "Share of the notes that belong to the scale to which most of them do", "share",
        "MusPy; Mogren 2016"},
       scale_consistency},
      {{"pitch_entropy", "How evenly the pitches are used (0: one alone; one more: twice as many choices)", "bits",
        kMusPy},
       pitch_entropy},
      {{"pitch_class_entropy", "How evenly the twelve pitch classes are used (0: one alone; 3.58: all alike)", "bits",
        "MusPy; Wu and Yang 2020"},
       pitch_class_entropy},
      {{"empty_beat_rate", "Share of the quarters in which nothing sounds", "share", kMusPy}, empty_beat_rate},
      {{"empty_measure_rate", "Share of the bars in which nothing sounds", "share", kMusPy}, empty_measure_rate},
      {{"groove_consistency", "How alike the rhythms of neighbouring bars are, counted in the file's own ticks",
        "share", "MusPy; Wu and Yang 2020"},
       groove_consistency},
      {{"groove_similarity", "How alike the rhythms of neighbouring bars are, in sixty-fourth notes", "share", kJazz},
       groove_similarity},
      {{"notes_per_second", "How dense the music is to the ear", "notes per second", kOurs}, notes_per_second},
      {{"notes_per_quarter", "How dense the music is on paper", "notes per quarter", kOurs}, notes_per_quarter},
      {{"inter_onset_mean", "Mean time from one moment at which notes begin to the next", "quarters", kLerch},
       [](const data::Score& score) { return mean_of(inter_onset_intervals(score)); }},
      {{"inter_onset_median", "Typical time from one moment at which notes begin to the next", "quarters", kOurs},
       [](const data::Score& score) { return median_of(inter_onset_intervals(score)); }},
      {{"duration_mean", "How long notes are held on average", "quarters", kOurs},
       [](const data::Score& score) { return mean_of(note_durations(score)); }},
      {{"duration_median", "How long a typical note is held", "quarters", kOurs},
       [](const data::Score& score) { return median_of(note_durations(score)); }},
      {{"bar_similarity", "How much any two bars have in common", "share", "Yu et al. 2022"},
       [](const data::Score& score) { return SelfSimilarity(score).mean(); }},
      {{"bar_recurrence", "How much of a bar was there in one bar before it", "share", "Etude, after Yu et al. 2022"},
       [](const data::Score& score) { return SelfSimilarity(score).recurrence(); }},
      {{"repetition_8", "Share of the notes in a passage of 8 notes heard before, perhaps transposed", "share", kOurs},
       [](const data::Score& score) { return repetition(score, {8}).front().transposed; }},
      {{"repetition_32", "Share of the notes in a passage of 32 notes heard before, perhaps transposed", "share",
        kOurs},
       [](const data::Score& score) { return repetition(score, {32}).front().transposed; }},
  };
  return all;
}

}  // namespace

const std::vector<MusicMeasure>& music_measures() {
  static const std::vector<MusicMeasure> measures = [] {
    std::vector<MusicMeasure> all;
    for (const Row& row : rows()) all.push_back(row.measure);
    return all;
  }();
  return measures;
}

std::vector<double> measure_music(const data::Score& score) {
  std::vector<double> values;
  std::transform(rows().begin(), rows().end(), std::back_inserter(values),
                 [&score](const Row& row) { return row.of(score); });
  return values;
}

}  // namespace etude::analysis
