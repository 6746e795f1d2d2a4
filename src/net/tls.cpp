#include "net/tls.hpp"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstring>

namespace vsim::net {
namespace {

template <class T, void (*Free)(T*)>
struct Deleter {
  void operator()(T* p) const { Free(p); }
};
using PrivateKey = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY, EVP_PKEY_free>>;
using Cert = std::unique_ptr<X509, Deleter<X509, X509_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO, BIO_free_all>>;

std::string openssl_error(std::string_view what) {
  char text[256] = "";
  ERR_error_string_n(ERR_get_error(), text, sizeof text);
  return std::string(what) + ": " + text;
}

std::string bio_text(BIO* bio) {
  char* data = nullptr;
  const long n = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(n)};
}

int select_http11(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                  unsigned in_size, void*) {
  static const unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kHttp11, sizeof kHttp11 - 1, in, in_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<CertificateText> make_certificate(const std::string& host) {
  const PrivateKey key(EVP_EC_gen("P-256"));
  const Cert cert(X509_new());
  if (!key || !cert) return Error{openssl_error("cannot make a TLS key")};
  X509_set_version(cert.get(), 2);
  // Random: Firefox offers no way past a second certificate of one issuer and number with another key.
  std::uint64_t serial = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1)
    return Error{openssl_error("cannot number the certificate")};
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert.get()), serial >> 1 | 1);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), 365L * 24 * 3600);
  X509_set_pubkey(cert.get(), key.get());
  X509_NAME* name = X509_get_subject_name(cert.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("vercel-sim localhost"), -1, -1, 0);
  X509_set_issuer_name(cert.get(), name);
  std::string names = "DNS:localhost,DNS:*.localhost,IP:127.0.0.1,IP:::1";
  if (!host.empty() && host != "localhost") {
    unsigned char address[16];
    const bool is_address =
        inet_pton(AF_INET, host.c_str(), address) == 1 || inet_pton(AF_INET6, host.c_str(), address) == 1;
    names += (is_address ? ",IP:" : ",DNS:") + host;
  }
  X509_EXTENSION* ext = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
  if (ext == nullptr) return Error{openssl_error("cannot make a certificate for \"" + host + "\"")};
  X509_add_ext(cert.get(), ext, -1);
  X509_EXTENSION_free(ext);
  if (X509_sign(cert.get(), key.get(), EVP_sha256()) == 0)
    return Error{openssl_error("cannot sign the certificate")};
  const Bio cert_bio(BIO_new(BIO_s_mem()));
  const Bio key_bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(cert_bio.get(), cert.get());
  PEM_write_bio_PrivateKey(key_bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return CertificateText{bio_text(cert_bio.get()), bio_text(key_bio.get())};
}

Result<std::unique_ptr<TlsContext>> TlsContext::create(const CertificateText& text) {
  std::unique_ptr<TlsContext> out(new TlsContext);
  out->context_ = SSL_CTX_new(TLS_server_method());
  if (out->context_ == nullptr) return Error{openssl_error("cannot start TLS")};
  SSL_CTX_set_min_proto_version(out->context_, TLS1_2_VERSION);  // facts 6: TLS 1.2 and 1.3
  SSL_CTX_set_mode(out->context_, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(out->context_, select_http11, nullptr);
  const Bio cert_bio(
      BIO_new_mem_buf(text.certificate_pem.data(), static_cast<int>(text.certificate_pem.size())));
  const Bio key_bio(BIO_new_mem_buf(text.key_pem.data(), static_cast<int>(text.key_pem.size())));
  const Cert cert(PEM_read_bio_X509(cert_bio.get(), nullptr, nullptr, nullptr));
  const PrivateKey key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
  if (!cert || !key || SSL_CTX_use_certificate(out->context_, cert.get()) != 1 ||
      SSL_CTX_use_PrivateKey(out->context_, key.get()) != 1)
    return Error{openssl_error("the TLS certificate or its key cannot be used")};
  return out;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

TlsSession::TlsSession(TlsContext& context)
    : ssl_(SSL_new(context.get())), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
  BIO_set_mem_eof_return(in_, -1);
  SSL_set_bio(ssl_, in_, out_);  // takes both
  SSL_set_accept_state(ssl_);
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

void TlsSession::feed(std::span<const char> ciphertext) {
  BIO_write(in_, ciphertext.data(), static_cast<int>(ciphertext.size()));
}

TlsSession::Read TlsSession::read(std::span<char> plaintext) {
  ERR_clear_error();
  const int n = SSL_read(ssl_, plaintext.data(), static_cast<int>(plaintext.size()));
  if (!early_.empty() && SSL_is_init_finished(ssl_)) {
    const std::string text = std::move(early_);
    early_.clear();
    if (!write({text.data(), text.size()})) return {0, State::failed};
  }
  if (n > 0) return {static_cast<std::size_t>(n), State::ok};
  switch (SSL_get_error(ssl_, n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return {0, State::want_input};
    case SSL_ERROR_ZERO_RETURN:
      return {0, State::closed};
    default:
      return {0, State::failed};
  }
}

bool TlsSession::write(std::span<const char> plaintext) {
  if (plaintext.empty()) return true;
  if (!SSL_is_init_finished(ssl_)) {
    early_.append(plaintext.data(), plaintext.size());
    return true;
  }
  ERR_clear_error();
  return SSL_write(ssl_, plaintext.data(), static_cast<int>(plaintext.size())) >
         0;  // a memory buffer takes all
}

void TlsSession::close_notify() { SSL_shutdown(ssl_); }

std::size_t TlsSession::pending_output() const { return BIO_ctrl_pending(out_); }

std::span<const char> TlsSession::output() {
  if (const std::size_t more = pending_output(); more > 0) {
    if (sent_ == output_.size()) {
      output_.clear();
      sent_ = 0;
    }
    const std::size_t old = output_.size();
    output_.resize(old + more);
    BIO_read(out_, output_.data() + old, static_cast<int>(more));
  }
  return {output_.data() + sent_, output_.size() - sent_};
}

void TlsSession::consumed(std::size_t bytes) {
  sent_ += bytes;
  if (sent_ < output_.size()) return;
  output_.clear();
  output_.shrink_to_fit();
  sent_ = 0;
}

}  // namespace vsim::net
