#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "framework/config/document.h"
#include "tests/framework/config/experiment.h"
#include "tests/support/oracle.h"

namespace etude::config {
namespace {

bool loads(const std::string& yaml) {
  Experiment e;
  Section root;
  describe(root, e);
  try {
    load_text(root, yaml, "f");
    return true;
  } catch (const ConfigError&) {
    return false;
  }
}

// The schema is worth something to an editor if it accepts what we accept and refuses what we refuse; whether a schema
// accepts a document is decided by the jsonschema package.
TEST(JsonSchema, AcceptsAndRefusesWhatTheLoaderDoes) {
  if (!etude::testing::oracle_python()) GTEST_SKIP() << "the oracle's Python is not installed";
  const std::string has_packages = fmt::format("'{}' -c 'import jsonschema, yaml'", *etude::testing::oracle_python());
  if (etude::testing::run_shell(has_packages).exit_code != 0) {
    GTEST_SKIP() << "the oracle's Python has no jsonschema";
  }
  const std::vector<std::string> documents = {
      "{}",
      "{train: null}",
      "{name: x, quiet: true}",
      "{name: 3}",
      "{name: [x]}",
      "{nme: x}",
      "{quiet: 3}",
      "{train: {lr: 10, steps: 1}}",
      "{train: {lr: 10.5}}",
      "{train: {lr: -1}}",
      "{train: {steps: 0}}",
      "{train: {steps: 1.5}}",
      "{train: {schedule: linear}}",
      "{train: {schedule: line}}",
      "{train: {ranks: []}}",
      "{train: {ranks: [1, 2, 3]}}",
      "{train: {ranks: [1, 5000]}}",
      "{train: [1]}",
      "{data: {transpose: {semitones: [1, 2]}}}",
      "{data: {transpose: {semitones: [1, 2, 3]}}}",
      "{data: {transpose: {semitones: [1, 25]}}}",
      "{data: {transpose: {where: {composer: chopin, opus: 9}}}}",
      "{data: {transpose: {where: {composer: [chopin]}}}}",
      "{data: {transpose: {when: {}}}}",
      "{model: {layers: 50}}",
      "{model: {memory: 3}}",
      "{model: {kind: gpt2, layers: 50}}",
      "{model: {kind: gpt2, memory: 3}}",
      "{model: {kind: xl, layers: 20, memory: 3, forget: {decay: 0.5}}}",
      "{model: {kind: xl, layers: 50}}",
      "{model: {kind: xl, forget: {decay: 2}}}",
      "{model: {kind: xl, other: 1}}",
      "{model: {kind: xxl}}",
  };
  Experiment e;
  Section root;
  describe(root, e);
  etude::testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "schema.json") << json_schema(root, "An experiment");
  std::ofstream all(folder.path() / "documents");
  std::string expected;
  for (const std::string& document : documents) {
    all << document << "\n";
    expected += document + (loads(document) ? " yes\n" : " no\n");
  }
  all.close();
  const std::string theirs =
      etude::testing::run_python(R"(
import json, sys, yaml, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for line in open(sys.argv[2]):
    print(line.strip(), "yes" if validator.is_valid(yaml.safe_load(line)) else "no")
)",
                                 {(folder.path() / "schema.json").string(), (folder.path() / "documents").string()});
  EXPECT_EQ(theirs, expected);
}

}  // namespace
}  // namespace etude::config
