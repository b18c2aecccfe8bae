#pragma once

// SOCI as Debian builds it takes Boost's types too, which nobody needs here; without this its headers would ask for
// Boost's, though the package does not bring them. Only templates depend on it.
#include <soci/soci-config.h>
#undef SOCI_HAVE_BOOST
#undef SOCI_HAVE_BOOST_DATE_TIME

#include <soci/soci.h>
