#include "framework/files/files.h"

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "framework/config/error.h"
#include "tests/support/oracle.h"

namespace etude::files {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

void put(const fs::path& file, std::string_view content) { std::ofstream(file, std::ios::binary) << content; }

/// Everything in a folder, hidden names included.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  return names;
}

template <typename Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "(no error)";
}

class Files : public ::testing::Test {
 protected:
  fs::path here(const std::string& name = "") const { return folder_.path() / name; }

 private:
  etude::testing::TemporaryFolder folder_;
};

TEST_F(Files, GiveBackEveryByte) {
  std::string bytes;
  for (int i = 0; i < 70'000; ++i) bytes += static_cast<char>(i * 7 % 256);
  write_atomically(here("bytes"), bytes);
  EXPECT_EQ(read(here("bytes")), bytes);
  EXPECT_EQ(etude::testing::slurp(here("bytes")), bytes);
  write_atomically(here("bytes"), "");
  EXPECT_EQ(read(here("bytes")), "");
  EXPECT_THAT(names_in(here()), UnorderedElementsAre("bytes"));
}

TEST_F(Files, OfUnknownSizeAreReadToTheirEnd) { EXPECT_THAT(read("/proc/self/status"), HasSubstr("Pid:")); }

TEST_F(Files, ErrorsNameTheFileAndTheReason) {
  EXPECT_THAT(message_of([&] { read(here("missing")); }), AllOf(HasSubstr("missing'"), HasSubstr("No such file")));
  EXPECT_THAT(message_of([&] { read(here()); }), HasSubstr("Is a directory"));
  EXPECT_THAT(message_of([&] { write_atomically(here("no/folder"), "x"); }), HasSubstr("no/folder': No such file"));
  EXPECT_THAT(message_of([&] { hash_file(here("missing")); }), HasSubstr("missing'"));
}

TEST_F(Files, AreReadableByWhomTheUmaskLets) {
  const mode_t before = umask(022);
  write_atomically(here("file"), "x");
  write_folder_atomically(here("folder"), false, [](const fs::path&) {});
  umask(before);
  EXPECT_EQ(fs::status(here("file")).permissions(), static_cast<fs::perms>(0644));
  EXPECT_EQ(fs::status(here("folder")).permissions(), static_cast<fs::perms>(0755));
}

// A limit on the size of files stands for a full disk: write(2) takes a part, then fails.
TEST_F(Files, KeepTheirOldContentWhenTheDiskIsFull) {
  write_atomically(here("log"), "old");
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
    const std::string big(100'000, 'x');
    const std::string file = message_of([&] { write_atomically(here("log"), big); });
    const std::string folder = message_of([&] {
      write_folder_atomically(here("folder"), false, [&](const fs::path& temporary) {
        write_atomically(temporary / "small", "fits");
        write_atomically(temporary / "big", big);
      });
    });
    const bool told = file.find("log'") != std::string::npos && file.find("File too large") != std::string::npos &&
                      folder.find("big'") != std::string::npos;
    _exit(told ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "the error did not name the file and the reason";
  EXPECT_EQ(read(here("log")), "old");
  EXPECT_THAT(names_in(here()), UnorderedElementsAre("log"));
}

TEST_F(Files, LeaveNothingInAReadOnlyFolder) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write to read-only folders";
  fs::create_directory(here("closed"));
  fs::permissions(here("closed"), static_cast<fs::perms>(0555));
  EXPECT_THAT(message_of([&] { write_atomically(here("closed/file"), "x"); }), HasSubstr("Permission denied"));
  EXPECT_THAT(message_of([&] { write_folder_atomically(here("closed/folder"), false, [](const fs::path&) {}); }),
              HasSubstr("Permission denied"));
  EXPECT_THAT(names_in(here("closed")), IsEmpty());
  fs::permissions(here("closed"), static_cast<fs::perms>(0755));
}

TEST_F(Files, ReadersSeeTheOldContentOrTheNewNeverAPart) {
  const std::string a(200'000, 'a'), b(200'000, 'b');
  write_atomically(here("file"), a);
  std::thread writer([&] {
    for (int i = 0; i < 20; ++i) write_atomically(here("file"), i % 2 == 0 ? b : a);
  });
  for (int i = 0; i < 200; ++i) {
    const std::string seen = read(here("file"));
    EXPECT_TRUE(seen == a || seen == b) << seen.size() << " bytes, from '" << seen[0] << "' to '" << seen.back() << "'";
  }
  writer.join();
}

using Folders = Files;

TEST_F(Folders, AppearWholeUnderTheirName) {
  write_folder_atomically(here("runs/a/checkpoint/"), false, [&](const fs::path& temporary) {
    fs::create_directory(temporary / "inner");
    put(temporary / "inner/weights", "w");
    put(temporary / "manifest", "m");
    EXPECT_FALSE(fs::exists(here("runs/a/checkpoint")));
  });
  EXPECT_EQ(read(here("runs/a/checkpoint/inner/weights")), "w");
  EXPECT_EQ(read(here("runs/a/checkpoint/manifest")), "m");
  EXPECT_THAT(names_in(here("runs/a")), UnorderedElementsAre("checkpoint"));
}

TEST_F(Folders, DoNotAppearWhenFillingThemFails) {
  EXPECT_THROW(write_folder_atomically(here("folder"), false,
                                       [](const fs::path& temporary) {
                                         put(temporary / "half", "x");
                                         throw std::runtime_error("out of tokens");
                                       }),
               std::runtime_error);
  EXPECT_THAT(names_in(here()), IsEmpty());
}

TEST_F(Folders, AreNotOverwrittenUnlessAsked) {
  fs::create_directory(here("folder"));  // even an empty one is somebody's
  bool filled = false;
  EXPECT_THAT(message_of([&] { write_folder_atomically(here("folder"), false, [&](auto&) { filled = true; }); }),
              HasSubstr("folder' exists already"));
  EXPECT_FALSE(filled) << "an hour's work must not start when its result has no place";
}

TEST_F(Folders, ThatAppearedMeanwhileAreLeftAlone) {
  EXPECT_THROW(write_folder_atomically(here("folder"), false,
                                       [&](const fs::path&) {
                                         fs::create_directory(here("folder"));
                                         put(here("folder/theirs"), "x");
                                       }),
               Error);
  EXPECT_THAT(names_in(here()), UnorderedElementsAre("folder"));
  EXPECT_THAT(names_in(here("folder")), UnorderedElementsAre("theirs"));
  EXPECT_THROW(
      write_folder_atomically(here("empty"), false, [&](const fs::path&) { fs::create_directory(here("empty")); }),
      Error);
}

TEST_F(Folders, AreReplacedAsAWholeAndThereAtEveryMoment) {
  const auto write = [&](const std::string& content) {
    write_folder_atomically(here("folder"), true,
                            [&](const fs::path& temporary) { put(temporary / content, content); });
  };
  write("first");
  std::atomic<bool> finished = false;
  std::thread writer([&] {
    for (int i = 0; i < 60; ++i) write(i % 2 == 0 ? "second" : "first");
    finished = true;
  });
  int absent = 0;
  while (!finished) absent += fs::exists(here("folder")) ? 0 : 1;
  EXPECT_EQ(absent, 0);
  writer.join();
  EXPECT_THAT(names_in(here("folder")), UnorderedElementsAre("first"));
  EXPECT_THAT(names_in(here()), UnorderedElementsAre("folder"));
}

TEST_F(Folders, StayAsTheyWereWhenReplacingThemFails) {
  write_folder_atomically(here("folder"), false, [](const fs::path& temporary) { put(temporary / "old", "x"); });
  EXPECT_ANY_THROW(write_folder_atomically(here("folder"), true, [](const fs::path& temporary) {
    put(temporary / "new", "x");
    throw Error("no");
  }));
  EXPECT_THAT(names_in(here("folder")), UnorderedElementsAre("old"));
  EXPECT_THAT(names_in(here()), UnorderedElementsAre("folder"));
}

/// A process that stays in the middle of writing a folder until it is killed.
pid_t start_writer(const fs::path& folder) {
  int ready[2];
  EXPECT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    write_folder_atomically(folder, true, [&](const fs::path& temporary) {
      put(temporary / "half", "x");
      EXPECT_EQ(::write(ready[1], "!", 1), 1);
      while (true) pause();
    });
  }
  char signal = 0;
  EXPECT_EQ(::read(ready[0], &signal, 1), 1);
  ::close(ready[0]);
  ::close(ready[1]);
  return child;
}

void kill_hard(pid_t child) {
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST_F(Folders, DoNotAppearWhenTheirWriterIsKilled) {
  kill_hard(start_writer(here("folder")));
  EXPECT_FALSE(fs::exists(here("folder")));
  for (const std::string& name : names_in(here())) EXPECT_EQ(name[0], '.') << "a visible part was left: " << name;
}

TEST_F(Folders, LeftByAKilledWriterAreSweptByTheNextButNotThoseOfALivingOne) {
  const pid_t killed = start_writer(here("folder"));
  const pid_t living = start_writer(here("folder"));
  kill_hard(killed);
  fs::create_directory(here(".folder.backup.partial"));  // looks alike, but is not of ours
  write_folder_atomically(here("folder"), false, [](const fs::path& temporary) { put(temporary / "whole", "x"); });
  EXPECT_EQ(names_in(here()).size(), 3U) << "the new folder, the living writer's, and the stranger's";
  EXPECT_TRUE(fs::exists(here(".folder.backup.partial")));
  kill_hard(living);
  write_folder_atomically(here("folder"), true, [](const fs::path& temporary) { put(temporary / "again", "x"); });
  EXPECT_THAT(names_in(here()), UnorderedElementsAre("folder", ".folder.backup.partial"));
}

// The value that the xxHash project documents for no input, and the program xxhsum for all else.
TEST_F(Files, HashAsXxhashDoes) {
  EXPECT_EQ(hash(std::string_view()), "99aa06d3014798d86001c324468d497f");
  if (etude::testing::run_shell("xxhsum --version").exit_code != 0) GTEST_SKIP() << "xxhsum is not installed";
  for (const std::size_t size : {1U, 17U, 241U, 5'000U, (1U << 20) + 3U, 3U << 20}) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * i % 251);
    put(here("bytes"), bytes);
    const std::string theirs = etude::testing::run_shell("xxhsum -H2 < " + here("bytes").string()).output.substr(0, 32);
    EXPECT_EQ(hash_file(here("bytes")), theirs) << size << " bytes";
    EXPECT_EQ(hash(bytes), theirs) << size << " bytes";
    EXPECT_EQ(hash(std::as_bytes(std::span(bytes))), theirs) << size << " bytes";
  }
}

}  // namespace
}  // namespace etude::files
