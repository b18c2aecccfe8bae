#pragma once

#include <cstdint>
#include <vector>

#include "sweep/trial.h"

namespace etude::sweep {

/// The values of all objectives, turned so that less is better. Nothing where the trial is not complete, lacks one of
/// them or has nan: such a trial is no better than any other.
std::vector<double> losses_of(const Trial& trial, const std::vector<Direction>& directions);

/// Whether `a` is nowhere worse and somewhere better. Infinities are values like others.
bool dominates(const std::vector<double>& a, const std::vector<double>& b);

/// The numbers of the complete trials that no other dominates, in order; equal ones all belong to it. With one
/// objective: all trials that are as good as the best.
std::vector<std::int64_t> pareto_front(const History& history);

/// The front that each point belongs to, from 0: the points that only points of earlier fronts dominate (fast
/// non-dominated sort; Deb, Pratap, Agarwal and Meyarivan 2002, "A fast and elitist multiobjective genetic algorithm:
/// NSGA-II", section III.A).
std::vector<std::size_t> front_ranks(const std::vector<std::vector<double>>& losses);

/// How far apart the neighbours of each point of one front are, summed over the objectives as shares of their range;
/// infinite at the ends (section III.B there).
std::vector<double> crowding_distances(const std::vector<std::vector<double>>& losses);

}  // namespace etude::sweep
