#include <gtest/gtest.h>

#include "framework/parallel/grain_tree.h"

namespace {

using namespace etude::parallel;

TEST(Grains, AreDealtContiguouslyAndEvenly) {
  for (std::int64_t grains = 1; grains <= 20; ++grains) {
    for (int size = 1; size <= grains; ++size) {
      std::int64_t next = 0;
      for (int rank = 0; rank < size; ++rank) {
        const GrainRange range = grains_of_rank(grains, rank, size);
        EXPECT_EQ(range.begin, next);
        EXPECT_GE(range.size(), grains / size);
        EXPECT_LE(range.size(), (grains + size - 1) / size);
        next = range.end;
      }
      EXPECT_EQ(next, grains);
    }
  }
}

TEST(GrainTree, SubtreesOfThreeRanksOverEightGrains) {
  const GrainTree tree(8);  // ranks hold [0, 2) [2, 5) [5, 8)
  EXPECT_EQ(tree.maximal_subtrees({0, 2}), (std::vector<TreeNode>{{1, 0}}));
  EXPECT_EQ(tree.maximal_subtrees({2, 5}), (std::vector<TreeNode>{{1, 1}, {0, 4}}));
  EXPECT_EQ(tree.maximal_subtrees({5, 8}), (std::vector<TreeNode>{{0, 5}, {1, 3}}));
  EXPECT_EQ(tree.maximal_subtrees({0, 8}), (std::vector<TreeNode>{{3, 0}}));
}

TEST(GrainTree, AbsentLeavesBelongToWhoeverHoldsTheOthers) {
  const GrainTree tree(5);  // root over 8 leaves; the right half holds grain 4 alone
  EXPECT_EQ(tree.root(), (TreeNode{3, 0}));
  EXPECT_EQ(tree.maximal_subtrees({0, 4}), (std::vector<TreeNode>{{2, 0}}));
  EXPECT_EQ(tree.maximal_subtrees({4, 5}), (std::vector<TreeNode>{{2, 1}}));
  EXPECT_FALSE(tree.exists({1, 3}));
  EXPECT_EQ(GrainTree(1).maximal_subtrees({0, 1}), (std::vector<TreeNode>{{0, 0}}));
}

TEST(GrainTree, AdditionsPairSiblingsFromTheLeavesUp) {
  const GrainTree tree(8);
  // (01) (23) 4 5 (67): 45 together, with 67, then both halves
  const auto additions = tree.additions({{1, 0}, {1, 1}, {0, 4}, {0, 5}, {1, 3}});
  ASSERT_EQ(additions.size(), 4U);
  const std::size_t wanted[4][2] = {{0, 1}, {2, 3}, {2, 4}, {0, 2}};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(additions[i].left, wanted[i][0]) << i;
    EXPECT_EQ(additions[i].right, wanted[i][1]) << i;
  }
}

}  // namespace
