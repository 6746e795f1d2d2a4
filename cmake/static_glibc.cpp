// Linked into the program with VSIM_STATIC only; runs before main. A static program must load no module of the system it runs on: a module
// brings that system's libc along, of whatever version (docs/decisions/0006-static-binary.md).
#include <nss.h>
#include <openssl/crypto.h>

namespace {

[[gnu::constructor]] void load_nothing() {
  // Names come from /etc/hosts and DNS, which are inside glibc, whatever modules /etc/nsswitch.conf names.
  __nss_configure_lookup("hosts", "files dns");
  // No system-wide openssl.cnf: it may name providers and engines to load.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
}

}  // namespace
