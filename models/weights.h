#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/model.h"

namespace etude::models {

/// The part of weights that learn from Memory::loss alone.
inline constexpr const char* kCompressionPart = "compression";

/// Is told of a weight: its name, where the model keeps it, and what it belongs to (see Parameter).
using VisitWeight = std::function<void(const std::string& name, at::Tensor& value, const char* part)>;

/// A model that keeps its weights in members and names each of them in one place, visit().
class WeightedModel : public Model {
 public:
  const std::vector<Parameter>& parameters() const final { return parameters_; }

 protected:
  virtual void visit(const VisitWeight& visit) = 0;
  /// Makes the weights leaves and lists them; to be called when they have their values.
  void register_weights();
  /// For replica(): makes the weights of this copy of a model leaves of their own, on the storage that they share.
  void become_replica();

 private:
  std::vector<Parameter> parameters_;
};

}  // namespace etude::models
