#include "data/pack/text.h"

#include <gtest/gtest.h>

namespace etude::data {
namespace {

TEST(CleanText, KeepsUtf8AndTakesAllElseAsLatin1) {
  EXPECT_EQ(clean_text("Für Elise, 雨, 🎹"), "Für Elise, 雨, 🎹");
  EXPECT_EQ(clean_text("F\xfcr Elise"), "Für Elise");
  EXPECT_EQ(clean_text("\xc0\xaf"), "À¯") << "a form longer than needed is no UTF-8";
  EXPECT_EQ(clean_text("\xed\xa0\x80"), "í\xc2\xa0\xc2\x80") << "neither is a surrogate";
  EXPECT_EQ(clean_text("\xe9"), "é") << "nor one cut short";
}

TEST(CleanText, DropsWhatDoesNotShow) {
  EXPECT_EQ(clean_text(std::string(" a\0b\tc\n", 7)), "a b c");
  EXPECT_EQ(clean_text("  "), "");
}

}  // namespace
}  // namespace etude::data
