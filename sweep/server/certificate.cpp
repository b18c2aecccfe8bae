#include "sweep/server/certificate.h"

#include <memory>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "framework/config/error.h"

namespace etude::sweep {
namespace {

struct Free {
  void operator()(BIO* file) const { BIO_free(file); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};

bool names(X509* certificate, const std::string& host) {
  return X509_check_ip_asc(certificate, host.c_str(), 0) == 1 ||
         X509_check_host(certificate, host.c_str(), host.size(), 0, nullptr) == 1;
}

}  // namespace

void check_certificate(const std::filesystem::path& path, const std::string& host, std::time_t now) {
  const std::unique_ptr<BIO, Free> file(BIO_new_file(path.c_str(), "r"));
  const std::unique_ptr<X509, Free> certificate(file ? PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr)
                                                     : nullptr);
  ERR_clear_error();
  if (!certificate) throw UsageError(fmt::format("'{}' is no certificate in PEM that can be read", path.string()));
  if (!names(certificate.get(), host)) {
    throw UsageError(
        fmt::format("{}: the certificate does not name '{}', by which trials come to the controller; make one whose "
                    "subjectAltName has it, or set controller.host to a name that it has",
                    path.string(), host));
  }
  const bool begun = X509_cmp_time(X509_get0_notBefore(certificate.get()), &now) < 0;
  const bool over = X509_cmp_time(X509_get0_notAfter(certificate.get()), &now) < 0;
  if (!begun || over) {
    throw UsageError(fmt::format("{}: the certificate {}; make a new one, or set this machine's clock", path.string(),
                                 over ? "is over" : "is not valid yet"));
  }
}

}  // namespace etude::sweep
