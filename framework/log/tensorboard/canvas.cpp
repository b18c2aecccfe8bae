#include "framework/log/tensorboard/canvas.h"

#include <algorithm>

#include <fmt/format.h>
#include <png.h>

#include "framework/config/error.h"
#include "framework/log/tensorboard/letters.h"

namespace etude::tensorboard {

Canvas::Canvas(int width, int height, Colour background)
    : width_(width), height_(height), pixels_(static_cast<std::size_t>(3 * width * height)) {
  fill(0, 0, width, height, background);
}

void Canvas::fill(int left, int top, int width, int height, Colour colour) {
  const int right = std::min(left + width, width_), bottom = std::min(top + height, height_);
  for (int y = std::max(top, 0); y < bottom; ++y) {
    for (int x = std::max(left, 0); x < right; ++x) {
      std::uint8_t* pixel = &pixels_[static_cast<std::size_t>(3 * (y * width_ + x))];
      pixel[0] = colour.red;
      pixel[1] = colour.green;
      pixel[2] = colour.blue;
    }
  }
}

void Canvas::write(int left, int top, std::string_view text, Colour colour) {
  for (const char letter : text) {
    for_each_dot(letter, [&](int x, int y) { fill(left + x, top + y, 1, 1, colour); });
    left += kLetterWidth;
  }
}

void Canvas::write_upwards(int left, int bottom, std::string_view text, Colour colour) {
  for (const char letter : text) {
    for_each_dot(letter, [&](int x, int y) { fill(left + y, bottom - x, 1, 1, colour); });
    bottom -= kLetterWidth;
  }
}

std::string Canvas::png() const {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width_);
  image.height = static_cast<png_uint_32>(height_);
  image.format = PNG_FORMAT_RGB;
  image.flags = PNG_IMAGE_FLAG_FAST;  // several of them hold up training at each evaluation
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string file(size, '\0');
  if (png_image_write_to_memory(&image, file.data(), &size, 0, pixels_.data(), 0, nullptr) == 0) {
    throw Error(fmt::format("a picture of {} × {} pixels cannot be made: {}", width_, height_, image.message));
  }
  file.resize(size);
  return file;
}

}  // namespace etude::tensorboard
