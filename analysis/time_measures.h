#pragma once

#include <cstdint>
#include <vector>

#include "data/music/score.h"

namespace etude::analysis {

/// Figures of when the notes of a piece sound. A piece ends when its last note has ended and the pedal is up. Nan where
/// there is nothing to measure.

/// The first group equals MusPy 0.5's on the same file (Dong et al., ISMIR 2020), habits included: a note that ends on
/// the first moment of a beat counts as sounding in it, and the beat or bar in which the piece ends counts as one even
/// if only its first moment belongs to the piece. MusPy is told one length of a bar for the whole piece; these follow
/// the time signatures, so they differ from it where a piece has several.

/// How many different pitches sound at once on average, over the time in which any sounds. Without drums.
double polyphony(const data::Score& score);
/// Share of the piece's time in which more than two different pitches sound (MusPy's default threshold). Without drums.
double polyphony_rate(const data::Score& score);
/// Share of the quarters in which no note sounds, drums included.
double empty_beat_rate(const data::Score& score);
/// Share of the bars in which no note sounds, drums included.
double empty_measure_rate(const data::Score& score);
/// How much of the pattern of onsets a bar has in common with the next: 1 less the mean share of a bar's ticks in which
/// one of both has an onset and the other has none (after Wu and Yang, ISMIR 2020, "grooving pattern similarity"). Of
/// two bars of different length the longer one's ticks count. Drums included. Nearer to 1 the finer a file's ticks are,
/// so of use only between files of one resolution: see groove_similarity().
double groove_consistency(const data::Score& score);

/// groove_consistency() on the grid of 16 places a quarter that Wu and Yang use, whatever the file's resolution.
double groove_similarity(const data::Score& score);

/// The rest are without drums. The time in which notes are counted goes from the first note's start to the last end.
double notes_per_second(const data::Score& score);
double notes_per_quarter(const data::Score& score);

/// From each moment at which notes begin to the next such moment, in quarters (Yang and Lerch 2020 count from note to
/// note; in music of several voices the notes of a chord would make most of that nought).
std::vector<double> inter_onset_intervals(const data::Score& score);
/// Of each note, in quarters.
std::vector<double> note_durations(const data::Score& score);

double mean_of(const std::vector<double>& values);
/// Of an even number, the mean of the middle two.
double median_of(std::vector<double> values);

}  // namespace etude::analysis
