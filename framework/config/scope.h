#pragma once

#include <string>
#include <vector>

#include "framework/config/options.h"

namespace etude::config {

/// The sections whose options stand under one key: the section itself, then the alternative that its variant has
/// chosen, then what that alternative has chosen in turn.
std::vector<const Section*> active_sections(const Section& section);

/// The alternative that the variant's field names, or nullptr without a variant.
const Section* chosen_alternative(const Section& section);

/// What a key means in a section alone, without its alternatives; nullptr when it means nothing.
const Option* find_option(const Section& section, const std::string& name);
Section* find_section(const Section& section, const std::string& name);

/// "train" and "lr" as "train.lr"; the outermost section has no name.
std::string joined(const std::string& path, const std::string& name);

/// Every key that could be written, of all alternatives, as "train.lr"; each once, in the order of description.
std::vector<std::string> all_keys(const Section& root);

}  // namespace etude::config
