/** Key exchange that keeps past traffic secret, and ciphers that authenticate what they encrypt; nothing else is offered. */
export const defaultCiphers = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

export const defaultCipherSuites = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'].join(':')

export const defaultGroups = ['X25519', 'P-256', 'P-384'].join(':')

export const letsEncrypt = 'https://acme-v02.api.letsencrypt.org/directory'

/** Share of a certificate's life that is left when it is renewed. */
export const defaultRenewBefore = 1 / 3
