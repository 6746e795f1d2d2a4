// TLS for `--https`: OpenSSL over memory buffers, so that the socket stays the Connection's. Server side
// only, HTTP/1.1 by ALPN.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/result.hpp"

struct ssl_ctx_st;
struct ssl_st;
struct bio_st;

namespace vsim::net {

struct CertificateText {
  std::string certificate_pem, key_pem;
};
// A self-signed P-256 certificate for `localhost`, 127.0.0.1, ::1 and `host` (a name or an address, may be
// empty), valid one year.
Result<CertificateText> make_certificate(const std::string& host);

class TlsContext {
 public:
  static Result<std::unique_ptr<TlsContext>> create(const CertificateText&);
  ~TlsContext();
  ssl_ctx_st* get() const { return context_; }

 private:
  TlsContext() = default;
  ssl_ctx_st* context_ = nullptr;
};

// One server-side session: ciphertext in and out through buffers, plaintext by read and write. No I/O.
class TlsSession {
 public:
  explicit TlsSession(TlsContext&);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  enum class State { ok, want_input, closed, failed };
  struct Read {
    std::size_t bytes = 0;
    State state = State::want_input;
  };
  void feed(std::span<const char> ciphertext);
  Read read(std::span<char> plaintext);         // also drives the handshake
  bool write(std::span<const char> plaintext);  // false: the session is broken
  void close_notify();
  bool has_output() const { return sent_ < output_.size() || pending_output() > 0; }
  std::span<const char> output();  // ciphertext to send
  void consumed(std::size_t bytes);

 private:
  std::size_t pending_output() const;
  ssl_st* ssl_ = nullptr;
  bio_st* in_ = nullptr;
  bio_st* out_ = nullptr;
  std::string early_;  // plaintext written before the handshake was done
  std::string output_;
  std::size_t sent_ = 0;
};

}  // namespace vsim::net
