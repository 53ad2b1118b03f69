// What TLS of a listener and of a server is made from, as TypeScript says it: TlsServerOptions and TlsClientOptions of
// src/native/contract.ts. Secrets are in here; nothing prints them.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/abi.h"

namespace weir {

struct TlsCertificate {
  std::string chain;  // PEM
  std::string key;    // PEM
  std::string ocsp;   // DER; empty: none
};

struct TlsBounds {
  int min_version = 0x0303;
  int max_version = 0x0304;
  std::string ciphers;
  std::string cipher_suites;
  std::string groups;
};

struct TlsServerOptions {
  std::vector<std::vector<TlsCertificate>> sets;
  std::vector<std::pair<std::string, uint32_t>> names;
  int default_set = 0;
  TlsBounds bounds;
  std::vector<std::string> alpn;
  bool tickets = true;
  int client_auth = abi::client_auth::off;
  std::string client_ca;
  std::string session_context;
  uint32_t handshake_ms = 10'000;
  std::vector<std::pair<std::string, TlsCertificate>> challenges;
};

struct TlsClientOptions {
  bool verify = true;
  std::string ca;
  std::string server_name;
  bool has_certificate = false;
  TlsCertificate certificate;
  TlsBounds bounds;
};

}  // namespace weir
