#include <bit>
#include <cmath>
#include <fstream>
#include <random>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/document.h"
#include "framework/config/values.h"
#include "tests/framework/config/experiment.h"
#include "tests/support/oracle.h"
#include "tests/support/broken_yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace etude::config {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// One option of any type, to try values on.
template <typename Field>
class One {
 public:
  template <typename Describe>
  explicit One(Describe describe_option) {
    describe_option(root_, field_);
  }
  /// What the text is read as, or what is wrong with it.
  std::string complaint(const std::string& text) {
    try {
      load_text(root_, "x: " + text, "f");
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }
  Field read(const std::string& text) {
    load_text(root_, "x: " + text, "f");
    return field_;
  }
  std::string write(const Field& value) {
    field_ = value;
    return to_yaml(root_);
  }
  Field read_again() {
    const std::string yaml = to_yaml(root_);
    field_ = Field{};
    load_text(root_, yaml, "f");
    return field_;
  }

 private:
  Section root_;
  Field field_{};
};

One<std::int64_t> integer_option(Range<std::int64_t> range = {}) {
  return One<std::int64_t>([&](Section& s, std::int64_t& field) { s.integer("x", field, range, ""); });
}
One<double> number_option(Range<double> range = {}) {
  return One<double>([&](Section& s, double& field) { s.number("x", field, range, ""); });
}
One<std::string> text_option() {
  return One<std::string>([](Section& s, std::string& field) { s.text("x", field, ""); });
}

TEST(Integers, AreReadExactlyInAnyNotation) {
  auto x = integer_option();
  EXPECT_EQ(x.read("+12"), 12);
  EXPECT_EQ(x.read("1e3"), 1000);
  EXPECT_EQ(x.read("2.50e2"), 250);
  EXPECT_EQ(x.read("500e-2"), 5);
  EXPECT_EQ(x.read("-7.0"), -7);
  EXPECT_EQ(x.read("0e99999999999"), 0);
  EXPECT_EQ(x.read("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(x.read("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(x.read("9007199254740993.0"), 9007199254740993) << "a double would have rounded it";
  for (const char* wrong : {"1.5", "1e-1", "1.00000000000000000001", "9223372036854775808", "1e19", "1e99999999999",
                            "0x10", "1_000", "--1", "+-1", "1e", "e3", ".", "ten", "true", "\"\"", "1 2"}) {
    EXPECT_THAT(x.complaint(wrong), HasSubstr("expected an integer")) << wrong;
  }
}

TEST(Integers, StayInTheirRange) {
  auto x = integer_option({1, 64});
  EXPECT_EQ(x.read("1"), 1);
  EXPECT_EQ(x.read("64"), 64);
  EXPECT_EQ(x.complaint("0"), "f:1:4: 'x': expected an integer (1 to 64), found '0'");
  EXPECT_THAT(x.complaint("65"), HasSubstr("1 to 64"));
  auto positive = integer_option({.low = 1});
  EXPECT_THAT(positive.complaint("-5"), HasSubstr("(at least 1)"));
}

TEST(Numbers, AreReadAsYamlWritesThem) {
  auto x = number_option({-HUGE_VAL, HUGE_VAL});
  EXPECT_EQ(x.read("3.0e-4"), 3.0e-4);
  EXPECT_EQ(x.read("-.5"), -0.5);
  EXPECT_EQ(x.read("5."), 5.0);
  EXPECT_EQ(x.read("-.inf"), -HUGE_VAL);
  for (const char* wrong : {"inf", "nan", ".nan", "1e400", "0x1p3", "1,5", "1.0f", "", "three"}) {
    EXPECT_THAT(x.complaint(wrong), HasSubstr("expected a number")) << wrong;
  }
}

TEST(Numbers, ThatAreNotFiniteAreInNoFiniteRange) {
  auto x = number_option({0, 1});
  for (const char* wrong : {".nan", ".inf", "-.inf", "1.0000000000000002"}) {
    EXPECT_THAT(x.complaint(wrong), HasSubstr("0 to 1")) << wrong;
  }
}

TEST(Durations, AreReadInTheUnitsThatPeopleAndSchedulersWrite) {
  const auto read = [](const std::string& text) {
    double seconds = 7;
    Section root;
    root.duration("time", seconds, "How long.");
    load_text(root, "time: " + text + "\n", "d.yaml");
    return seconds;
  };
  EXPECT_EQ(read("90"), 90);
  EXPECT_EQ(read("90s"), 90);
  EXPECT_EQ(read("1.5h"), 5400);
  EXPECT_EQ(read("1h30m"), 5400);
  EXPECT_EQ(read("2d"), 172800);
  EXPECT_EQ(read("1d1h1m1s"), 90061);
  EXPECT_EQ(read("01:30:00"), 5400);
  EXPECT_EQ(read("1-12:00:00"), 129600);
  for (const std::string wrong :
       {"-5", "5x", "h", "1m1h", "1h1h", "1:30", "00:60:00", "1h 30m", ".inf", ".nan", "''", "[1]", ""}) {
    EXPECT_THROW(read(wrong), ConfigError) << wrong;
  }
}

TEST(Durations, AreWrittenSoThatTheyReadBackTheSame) {
  for (const double seconds : {0.0, 0.5, 1.0, 60.0, 5400.0, 90061.0, 172800.0, 1e15, 1e300, 0.1}) {
    double read = -1;
    EXPECT_EQ(parse_duration(duration_text(seconds), read), Parse::kGood) << duration_text(seconds);
    EXPECT_EQ(read, seconds);
  }
  EXPECT_EQ(duration_text(5400), "1h30m");
}

TEST(Booleans, AreThoseOfYaml11) {
  One<bool> x([](Section& s, bool& field) { s.boolean("x", field, ""); });
  for (const char* yes : {"true", "True", "TRUE", "yes", "on", "y"}) EXPECT_TRUE(x.read(yes)) << yes;
  for (const char* no : {"false", "False", "FALSE", "no", "off", "n"}) EXPECT_FALSE(x.read(no)) << no;
  for (const char* wrong : {"1", "0", "tRUE", "maybe", ""}) EXPECT_NE(x.complaint(wrong), "") << wrong;
}

/// Numbers with every number of digits, and of every size, both zeros among them.
std::vector<double> awkward_numbers() {
  std::vector<double> numbers = {0.0,
                                 -0.0,
                                 0.1,
                                 1.0 / 3,
                                 1e21,
                                 1e22,
                                 1e23,
                                 5e-324,
                                 2.2250738585072014e-308,
                                 1.7976931348623157e308,
                                 1e-5,
                                 1e16,
                                 123456789012345680.0,
                                 100,
                                 -2};
  std::mt19937_64 random(1);
  while (numbers.size() < 2000) {
    const double number = std::bit_cast<double>(random());
    if (std::isfinite(number)) numbers.push_back(number);
  }
  return numbers;
}

std::vector<std::string> awkward_texts() {
  return {"",
          " ",
          "a ",
          " a",
          "null",
          "~",
          "Null",
          "true",
          "no",
          "y",
          "12",
          "1e3",
          "-5",
          ".inf",
          "1:20",
          "2020-01-01",
          "a: b",
          "a #b",
          "#a",
          "- a",
          "[a]",
          "{a}",
          "a, b",
          "'a'",
          "\"a\"",
          "\\",
          "a\\nb",
          "a\nb",
          "a\tb",
          "\n",
          "*a",
          "&a",
          "!a",
          "%a",
          "@a",
          "`a`",
          "|",
          ">",
          "?",
          "? a",
          "---",
          "...",
          "=",
          "<<",
          "0x1",
          "0o7",
          "./a",
          "../a",
          ".a",
          "/a/b c",
          "Fr\xC3\xA9"
          "d\xC3\xA9ric",
          "\xE2\x99\xAD",
          "\xF0\x9F\x8E\xB9",
          "\xEF\xBB\xBF"
          "a",
          "\xC2\x85",
          "\xE2\x80\xA8",
          "\x01",
          "\x7F",
          "a-b",
          "-",
          "a.b",
          "x y z"};
}

TEST(Lists, OfTextTakeOneOrManyAndAreWrittenSoThatTheyReadBackTheSame) {
  std::vector<std::string> words{"default"};
  Section root;
  root.list("words", words, "Words.");
  load_text(root, "words: one\n", "w.yaml");
  EXPECT_EQ(words, std::vector<std::string>{"one"});
  const std::vector<std::string> awkward = awkward_texts();
  words = awkward;
  const std::string yaml = to_yaml(root);
  words.clear();
  load_text(root, yaml, "w.yaml");
  EXPECT_EQ(words, awkward);
  load_text(root, "words: []\n", "w.yaml");
  EXPECT_TRUE(words.empty());
  EXPECT_THROW(load_text(root, "words: {a: b}\n", "w.yaml"), ConfigError);
  EXPECT_THROW(load_text(root, "words: [[a]]\n", "w.yaml"), ConfigError);
  EXPECT_THROW(load_text(root, "words:\n", "w.yaml"), ConfigError);
}

TEST(ToYaml, WritesNumbersThatReadBackToTheSameBits) {
  auto x = number_option({-HUGE_VAL, HUGE_VAL});
  for (const double number : awkward_numbers()) {
    x.write(number);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(x.read_again()), std::bit_cast<std::uint64_t>(number)) << number;
  }
  EXPECT_EQ(x.write(0.1), "x: 0.1\n");
  EXPECT_EQ(x.write(HUGE_VAL), "x: .inf\n");
  EXPECT_EQ(x.read_again(), HUGE_VAL);
}

TEST(ToYaml, WritesTextThatReadsBackTheSame) {
  auto x = text_option();
  for (const std::string& text : awkward_texts()) {
    const std::string yaml = x.write(text);
    EXPECT_EQ(x.read_again(), text) << yaml;
  }
  EXPECT_EQ(x.write("runs/chopin-gpt2"), "x: runs/chopin-gpt2\n");
}

// Other programs read a run's config.yaml: to PyYAML a number must be a number, a word a word, and both the same as
// to us.
TEST(ToYaml, IsReadBySomebodyElsesParserAsMeant) {
  if (!etude::testing::oracle_python()) GTEST_SKIP() << "the oracle's Python is not installed";
  etude::testing::TemporaryFolder folder;
  std::ofstream file(folder.path() / "x.yaml");
  std::ostringstream expected;
  auto number = number_option({-HUGE_VAL, HUGE_VAL});
  auto text = text_option();
  for (const double value : awkward_numbers()) {
    file << "- {" << number.write(value).substr(0, number.write(value).size() - 1) << "}\n";
    expected << "float " << std::hex << std::bit_cast<std::uint64_t>(value) << "\n";
  }
  for (const std::string& value : awkward_texts()) {
    const std::string yaml = text.write(value);
    file << "- {" << yaml.substr(0, yaml.size() - 1) << "}\n";
    expected << "str ";
    for (const char c : value) expected << static_cast<int>(static_cast<unsigned char>(c)) << ' ';
    expected << "\n";
  }
  file.close();
  const std::string theirs = etude::testing::run_python(R"(
import struct, sys, yaml
for item in yaml.safe_load(open(sys.argv[1], encoding="utf-8")):
    x = item["x"]
    if isinstance(x, float): print("float", "%x" % struct.unpack("<Q", struct.pack("<d", x))[0])
    elif isinstance(x, str): print("str", "".join("%x " % byte for byte in x.encode()))
    else: print(type(x).__name__, x)
)",
                                                        {(folder.path() / "x.yaml").string()});
  EXPECT_EQ(theirs, expected.str());
}

TEST(ToYaml, WritesEveryOptionAndLoadsAgainToTheSame) {
  Experiment e;
  Section root;
  describe(root, e);
  load_text(root, "{model: {kind: xl, forget: {decay: 0.1}}, data: {transpose: {where: {'a: b': 'no'}}}}", "f");
  const std::string yaml = to_yaml(root);
  EXPECT_EQ(yaml, R"(name: demo
quiet: false
data:
  pack: packs/piano
  transpose:
    semitones: [0, 0]
    where: {"a: b": "no"}
train:
  steps: 1000
  lr: 0.0003
  schedule: cosine
  ranks: []
model:
  kind: xl
  layers: 12
  memory: 512
  forget:
    decay: 0.1
)");
  Experiment again;
  Section second;
  describe(second, again);
  load_text(second, yaml, "f");
  EXPECT_EQ(to_yaml(second), yaml);
}

std::string explained(const std::string& key = "") {
  Experiment e;
  Section root;
  describe(root, e);
  return explain(root, key);
}

TEST(Explain, TellsTypeDefaultRangeAndPurposeOfEveryOption) {
  const std::string all = explained();
  for (const char* key : {"name", "quiet", "data.pack", "data.transpose.semitones", "data.transpose.where", "train.lr",
                          "train.steps", "train.schedule", "model.kind", "model.memory", "model.forget.decay"}) {
    EXPECT_THAT(all, HasSubstr(std::string("  ") + key + " ")) << key;
  }
  std::istringstream lines(all);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
}

TEST(Explain, ShowsOneOptionOrOneSection) {
  EXPECT_EQ(explained("train.lr"),
            "train: How it is learnt.\n"
            "  train.lr  = 0.0003  number, 0 to 10\n"
            "            Learning rate at its highest.\n");
  EXPECT_THAT(explained("data"), AllOf(HasSubstr("data.pack"), HasSubstr("where"), Not(HasSubstr("train"))));
  EXPECT_THAT(explained("model.layers"), AllOf(HasSubstr("when model.kind is gpt2"), HasSubstr("model.kind is xl")));
}

TEST(Explain, KnowsTheNearestKey) {
  const auto complaint = [](const std::string& key) -> std::string {
    try {
      return explained(key);
    } catch (const UsageError& error) {
      return error.what();
    }
  };
  EXPECT_THAT(complaint("train.lrr"), HasSubstr("did you mean 'train.lr'?"));
  EXPECT_THAT(complaint("lr"), HasSubstr("did you mean 'train.lr'?"));
  EXPECT_THAT(complaint("layers"), HasSubstr("did you mean 'model.layers'?"));
  EXPECT_THAT(complaint("volcano"), HasSubstr("'etude explain' lists all"));
}

TEST(Fuzz, ThousandsOfBrokenFilesAreRefusedOrUnderstood) {
  const std::vector<std::string> valid = {
      "name: a\ntrain: {lr: 1e-3, steps: 5, schedule: linear, ranks: [0, 1]}\nmodel:\n  kind: xl\n  memory: 3\n",
      std::string("data:\n  pack: \"a\\x41\"\n  transpose: {semitones: [-5, 6], where: {composer: chopin}}\n") + '\0' +
          "train.lr=0.5",
      "a: &a [1, *a]\nb: !!str 'it''s'\nname: |\n  text\n  more\n? x\n: y\n--- # end\n",
      "name: &n >-\n  folded\ndata: {pack: *n}\nquiet: yes\nmodel: {kind: gpt2, layers: 1e1}\n",
  };
  std::mt19937 random(7);
  for (int round = 0; round < 8000; ++round) {
    const std::string input = testing::broken_yaml(random, valid);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  }
}

}  // namespace
}  // namespace etude::config
