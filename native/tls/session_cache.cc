#include "tls/session_cache.h"

#include <algorithm>
#include <cstring>

namespace weir {

namespace {

static_assert(Board::tls_sessions_at(1) % abi::board::tls_session_bytes == 0);
static_assert(Board::kColumnBytes % abi::board::tls_session_bytes == 0);
static_assert((abi::board::tls_sessions & (abi::board::tls_sessions - 1)) == 0);

constexpr uint64_t kOneSequence = uint64_t(1) << 32;

bool is_taken(uint64_t state) { return (state & kOneSequence) != 0; }

// Another process's clock may have been read a little later than ours, so the second of the taking may lie ahead; far ahead is garbage.
bool is_abandoned(uint64_t state, uint32_t now_s) {
  const uint32_t since_s = uint32_t(state);
  return std::max(since_s, now_s) - std::min(since_s, now_s) > SessionCache::kAbandonedS;
}

// Release and acquire on every word in place of fences: who reads a word of a writing sees its sequence number afterwards, too.
void store_words(std::atomic<uint64_t>* to, std::string_view bytes) {
  for (size_t at = 0; at < bytes.size(); at += 8, ++to) {
    uint64_t word = 0;
    memcpy(&word, bytes.data() + at, std::min<size_t>(8, bytes.size() - at));
    to->store(word, std::memory_order_release);
  }
}

void load_words(const std::atomic<uint64_t>* from, std::span<unsigned char> bytes) {
  for (size_t at = 0; at < bytes.size(); at += 8, ++from) {
    const uint64_t word = from->load(std::memory_order_acquire);
    memcpy(bytes.data() + at, &word, std::min<size_t>(8, bytes.size() - at));
  }
}

bool is_id(std::string_view id) { return !id.empty() && id.size() <= SessionCache::kMaxIdBytes; }

std::array<uint64_t, SessionCache::kMaxIdBytes / 8> words_of(std::string_view id) {
  std::array<uint64_t, SessionCache::kMaxIdBytes / 8> words{};
  memcpy(words.data(), id.data(), id.size());
  return words;
}

}  // namespace

SessionCache::Facts SessionCache::Facts::of(uint64_t word) {
  return {.expires_s = uint32_t(word), .der_bytes = uint16_t(word >> 32), .id_bytes = uint8_t(word >> 48)};
}

uint64_t SessionCache::Facts::packed() const { return uint64_t(id_bytes) << 48 | uint64_t(der_bytes) << 32 | expires_s; }

// An end far beyond any that `put` writes is garbage, and must not keep a slot for ever. Twice: clocks are read at different moments.
bool SessionCache::Facts::is_live(uint32_t now_s) const {
  const bool is_sane = id_bytes > 0 && id_bytes <= kMaxIdBytes && der_bytes > 0 && der_bytes <= kMaxDerBytes;
  return is_sane && expires_s > now_s && expires_s - now_s <= 2 * kMaxLifetimeS;
}

// Ids are random, but whoever knows many may send those of one bucket: the seed is the board's secret.
SessionCache::Slot* SessionCache::bucket_of(const IdWords& id) const {
  uint64_t x = (id[0] ^ board_.secret()) * 0x9e3779b97f4a7c15u;
  x ^= x >> 32;
  return reinterpret_cast<Slot*>(board_.tls_sessions()) + x % kBuckets * kPerBucket;
}

bool SessionCache::holds(const Slot& slot, const IdWords& id, size_t id_bytes) {
  if (Facts::of(slot.facts.load(std::memory_order_acquire)).id_bytes != id_bytes) return false;
  for (size_t i = 0; i < kIdWords; ++i)
    if (slot.id[i].load(std::memory_order_acquire) != id[i]) return false;
  return true;
}

// Makes the slot ours if it still is as it was seen; `state` is then what `release` wants.
bool SessionCache::take(Slot& slot, uint64_t& state, uint32_t now_s) {
  const uint64_t sequence = (state >> 32) + (is_taken(state) ? 2 : 1);  // odd in both cases
  const uint64_t taken = sequence << 32 | now_s;
  if (!slot.state.compare_exchange_strong(state, taken, std::memory_order_acq_rel, std::memory_order_relaxed)) return false;
  state = taken;
  return true;
}

// Does nothing when somebody took this writer for dead.
void SessionCache::release(Slot& slot, uint64_t state) {
  slot.state.compare_exchange_strong(state, state + kOneSequence, std::memory_order_release, std::memory_order_relaxed);
}

// The slot with that id, else one that is free or has ended, else the one that ends first. Null when others write to all of them.
SessionCache::Slot* SessionCache::place_for(const IdWords& id, size_t id_bytes, uint32_t now_s, uint64_t& state) const {
  Slot* best = nullptr;
  uint32_t best_ends_s = 0;
  Slot* const bucket = bucket_of(id);
  for (Slot* slot = bucket; slot != bucket + kPerBucket; ++slot) {
    const uint64_t seen = slot->state.load(std::memory_order_acquire);
    if (is_taken(seen) && !is_abandoned(seen, now_s)) continue;
    const Facts facts = Facts::of(slot->facts.load(std::memory_order_acquire));
    const bool is_same = !is_taken(seen) && holds(*slot, id, id_bytes);
    const uint32_t ends_s = is_same || is_taken(seen) || !facts.is_live(now_s) ? 0 : facts.expires_s;
    if (best && !is_same && ends_s >= best_ends_s) continue;
    best = slot;
    best_ends_s = ends_s;
    state = seen;
    if (is_same) break;
  }
  return best;
}

bool SessionCache::put(std::string_view id, std::string_view der, uint32_t lifetime_s, uint32_t now_s) {
  if (!is_id(id) || der.empty() || der.size() > kMaxDerBytes || lifetime_s == 0) return false;
  const IdWords words = words_of(id);
  uint64_t state = 0;
  Slot* slot = place_for(words, id.size(), now_s, state);
  if (!slot || !take(*slot, state, now_s)) return false;
  const Facts facts{now_s + std::min(lifetime_s, kMaxLifetimeS), uint16_t(der.size()), uint8_t(id.size())};
  slot->facts.store(facts.packed(), std::memory_order_release);
  for (size_t i = 0; i < kIdWords; ++i) slot->id[i].store(words[i], std::memory_order_release);
  store_words(slot->der, der);
  release(*slot, state);
  return true;
}

size_t SessionCache::get(std::string_view id, std::span<unsigned char> out, uint32_t now_s) const {
  if (!is_id(id)) return 0;
  const IdWords words = words_of(id);
  const Slot* const bucket = bucket_of(words);
  for (const Slot* slot = bucket; slot != bucket + kPerBucket; ++slot) {
    const uint64_t state = slot->state.load(std::memory_order_acquire);
    if (is_taken(state) || !holds(*slot, words, id.size())) continue;
    const Facts facts = Facts::of(slot->facts.load(std::memory_order_acquire));
    if (!facts.is_live(now_s) || facts.der_bytes > out.size()) continue;
    load_words(slot->der, out.first(facts.der_bytes));
    if (slot->state.load(std::memory_order_relaxed) == state) return facts.der_bytes;
  }
  return 0;
}

bool SessionCache::remove(std::string_view id, uint32_t now_s) {
  if (!is_id(id)) return false;
  const IdWords words = words_of(id);
  Slot* const bucket = bucket_of(words);
  bool was_there = false;
  for (Slot* slot = bucket; slot != bucket + kPerBucket; ++slot) {
    uint64_t state = slot->state.load(std::memory_order_acquire);
    if (is_taken(state) || !holds(*slot, words, id.size()) || !take(*slot, state, now_s)) continue;
    slot->facts.store(0, std::memory_order_release);
    for (auto& word : slot->der) word.store(0, std::memory_order_release);
    release(*slot, state);
    was_there = true;
  }
  return was_there;
}

}  // namespace weir
