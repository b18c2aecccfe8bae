#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace etude::tensorboard {

struct Colour {
  std::uint8_t red = 0, green = 0, blue = 0;
};
inline constexpr Colour kWhite{255, 255, 255}, kBlack{0, 0, 0}, kGrey{225, 225, 225};

/// A picture to draw into, pixel by pixel from the upper left. What lies outside is not drawn.
class Canvas {
 public:
  Canvas(int width, int height, Colour background = kWhite);

  int width() const { return width_; }
  int height() const { return height_; }

  void fill(int left, int top, int width, int height, Colour colour);

  static constexpr int kLetterWidth = 6, kLetterHeight = 7;  ///< the gap to the next letter included
  /// In capitals; characters that there are no letters for stay blank.
  void write(int left, int top, std::string_view text, Colour colour);
  /// From the bottom to the top, to be read with the head to the left; `bottom` is where it begins.
  void write_upwards(int left, int bottom, std::string_view text, Colour colour);

  /// The file, RGB with eight bits each. Throws Error where libpng cannot make it.
  std::string png() const;

 private:
  int width_, height_;
  std::vector<std::uint8_t> pixels_;  ///< [height, width, 3]
};

}  // namespace etude::tensorboard
