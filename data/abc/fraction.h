#pragma once

#include <cstdint>
#include <stdexcept>

namespace etude::data::abc {

/// A number of music does not fit 64 bits; only absurd rhythms get there.
class FractionOverflow : public std::overflow_error {
 public:
  using std::overflow_error::overflow_error;
};

/// An exact length or time, in whole notes. Always in lowest terms with a positive denominator.
class Fraction {
 public:
  constexpr Fraction() = default;
  constexpr Fraction(std::int64_t whole) : numerator_(whole) {}  // NOLINT: a whole number is a fraction
  /// Throws FractionOverflow for a denominator of 0.
  Fraction(std::int64_t numerator, std::int64_t denominator);

  std::int64_t numerator() const { return numerator_; }
  std::int64_t denominator() const { return denominator_; }

  Fraction operator+(const Fraction& other) const;
  Fraction operator-(const Fraction& other) const;
  Fraction operator*(const Fraction& other) const;
  Fraction operator/(const Fraction& other) const;
  bool operator==(const Fraction&) const = default;
  bool operator<(const Fraction& other) const { return (*this - other).numerator_ < 0; }

 private:
  std::int64_t numerator_ = 0;
  std::int64_t denominator_ = 1;
};

}  // namespace etude::data::abc
