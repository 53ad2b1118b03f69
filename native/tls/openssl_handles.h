// OpenSSL's objects with one owner each, and its errors in words. Only openssl_*.{h,cc} know OpenSSL.
#pragma once
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace weir {

template <auto Free>
struct OpenSslFree {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using SslContext = std::unique_ptr<SSL_CTX, OpenSslFree<SSL_CTX_free>>;
using SslHandle = std::unique_ptr<SSL, OpenSslFree<SSL_free>>;
using SslSession = std::unique_ptr<SSL_SESSION, OpenSslFree<SSL_SESSION_free>>;
using BioHandle = std::unique_ptr<BIO, OpenSslFree<BIO_free>>;
using BioMethod = std::unique_ptr<BIO_METHOD, OpenSslFree<BIO_meth_free>>;
using X509Handle = std::unique_ptr<X509, OpenSslFree<X509_free>>;
using X509StoreHandle = std::unique_ptr<X509_STORE, OpenSslFree<X509_STORE_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, OpenSslFree<EVP_PKEY_free>>;

// The latest error in words, or `otherwise`; forgets all of them. Node shares this queue: nothing of ours may stay in it.
inline std::string take_openssl_error(const char* otherwise) {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string text = reason ? reason : otherwise;
  ERR_clear_error();
  return text;
}

}  // namespace weir
