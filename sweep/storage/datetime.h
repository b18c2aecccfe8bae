#pragma once

#include <string>

namespace etude::sweep {

/// Optuna's points in time. In databases they bear no zone: UTC since Optuna 5.0, which is what we read and write
/// (until 4.9 it was the local time of whoever wrote; as with Optuna 5.0 itself, such times are then off by the zone's
/// offset). In journals they bear "+00:00" since 5.0; without it they are local. Optuna 4.9 fails where both are met in
/// one study, and 5.0 reads either: a journal gets times with an offset only where there are such already.

/// "2026-11-22 00:29:33.760872" in UTC, of seconds since 1970.
std::string database_time(double seconds);
/// "2026-11-22T00:29:33.760872+00:00", or local without an offset.
std::string journal_time(double seconds, bool offset);

/// Reads either, with or without fractions of a second and offset. Throws Error.
double read_time(const std::string& text, bool local_without_offset);

}  // namespace etude::sweep
