#include "binding/reader_calls.h"

#include <errno.h>

#include <cmath>
#include <optional>

#include "binding/napi_util.h"
#include "http/text.h"
#include "observe/record_reader.h"

namespace weir::binding {

namespace {

constexpr napi_type_tag kTag = {0x7765697272656164u, 0x72636f7264733031u};

// Throws, and is what a function of the checks below then returns.
std::nullopt_t refuse(napi_env env, const std::string& what, const std::string& wanted) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", ("RecordReader: " + what + " must be " + wanted).c_str());
  return std::nullopt;
}

bool is_a(napi_env env, napi_value v, napi_valuetype wanted) {
  napi_valuetype type = napi_undefined;
  return v && napi_typeof(env, v, &type) == napi_ok && type == wanted;
}

bool is_list(napi_env env, napi_value v) {
  bool is = false;
  return v && napi_is_array(env, v, &is) == napi_ok && is;
}

std::optional<double> number_of(napi_env env, napi_value v, const char* what, double least, double most) {
  const double d = is_a(env, v, napi_number) ? number(env, v) : NAN;
  if (d >= least && d <= most) return d;
  return refuse(env, what, "a number from " + std::to_string(long(least)) + " to " + std::to_string(long(most)));
}

std::optional<unsigned> whole(napi_env env, napi_value v, const char* what, unsigned least, unsigned most) {
  const double d = is_a(env, v, napi_number) ? number(env, v) : NAN;
  if (d >= least && d <= most && d == std::floor(d)) return unsigned(d);
  return refuse(env, what, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
}

std::optional<bool> flag_of(napi_env env, napi_value v, const char* what) {
  if (is_a(env, v, napi_boolean)) return boolean(env, v);
  return refuse(env, what, "true or false");
}

std::optional<std::string> string_of(napi_env env, napi_value v, const char* what) {
  if (is_a(env, v, napi_string)) return text(env, v);
  return refuse(env, what, "a string");
}

// Calls `take(element)` until it answers false, which it does when it has thrown.
template <typename Take>
bool each_of(napi_env env, napi_value list, const char* what, Take&& take) {
  if (!is_list(env, list)) return (void)refuse(env, what, "an array"), false;
  bool good = true;
  each(env, list, [&](napi_value v) { good = good && take(v); });
  return good;
}

bool read_header(napi_env env, napi_value from, LogFormat& to) {
  if (!is_a(env, from, napi_object)) return (void)refuse(env, "each of headers", "an object"), false;
  const auto name = string_of(env, get(env, from, "name"), "the name of a header");
  if (!name) return false;
  const auto is_secret = flag_of(env, get(env, from, "isSecret"), "isSecret of a header");
  if (!is_secret) return false;
  to.headers.emplace_back(*name, *is_secret);
  return true;
}

bool read_lists(napi_env env, napi_value from, LogFormat& to) {
  const auto field = [&](napi_value v) {
    const auto number = whole(env, v, "each of fields", 0, abi::record_field::count - 1);
    if (number) to.fields |= 1u << *number;
    return number.has_value();
  };
  const auto secret = [&](napi_value v) {
    const auto name = string_of(env, v, "each of redactedQuery");
    if (name) to.secrets.push_back(lower_case(*name));
    return name.has_value();
  };
  if (!each_of(env, get(env, from, "fields"), "fields", field)) return false;
  if (!each_of(env, get(env, from, "redactedQuery"), "redactedQuery", secret)) return false;
  return each_of(env, get(env, from, "headers"), "headers", [&](napi_value v) { return read_header(env, v, to); });
}

// What may be left out.
bool read_choice(napi_env env, napi_value from, LogFormat& to) {
  const napi_value slow = get(env, from, "slowUs");
  if (!is_a(env, slow, napi_undefined)) {
    const auto us = whole(env, slow, "slowUs", 0, UINT32_MAX);
    if (!us) return false;
    to.slow_us = *us;
  }
  const napi_value traced = get(env, from, "onlyTraced");
  if (is_a(env, traced, napi_undefined)) return true;
  const auto only = flag_of(env, traced, "onlyTraced");
  to.only_traced = only.value_or(false);
  return only.has_value();
}

std::optional<LogFormat> read_format(napi_env env, napi_value from) {
  if (!is_a(env, from, napi_object)) return refuse(env, "the format", "an object");
  LogFormat format;
  const std::string kind = text_at(env, from, "kind");
  if (kind == "combined") format.kind = LogFormat::Kind::combined;
  else if (kind != "json") return refuse(env, "the kind of a format", "json or combined");
  if (!read_lists(env, from, format)) return std::nullopt;
  const auto share = number_of(env, get(env, from, "share"), "share", 0, 1);
  if (!share) return std::nullopt;
  format.share = *share;
  return read_choice(env, from, format) ? std::optional(std::move(format)) : std::nullopt;
}

// One call on the object. Without a reader, an exception is on its way.
struct ReaderCall {
  napi_env env;
  napi_value args[3] = {};
  RecordReader* reader = nullptr;

  ReaderCall(napi_env e, napi_callback_info info) : env(e) {
    napi_value self = nullptr;
    size_t count = 3;
    napi_get_cb_info(env, info, &count, args, &self, nullptr);
    bool is_ours = false;
    void* data = nullptr;
    if (napi_check_object_type_tag(env, self, &kTag, &is_ours) == napi_ok && is_ours && napi_unwrap(env, self, &data) == napi_ok)
      reader = static_cast<RecordReader*>(data);
    else
      (void)refuse(env, "the object of a call", "a RecordReader");
  }
  // The first argument, when a cursor of that number is open.
  [[nodiscard]] std::optional<unsigned> cursor() const {
    if (!reader) return std::nullopt;
    const auto number = whole(env, args[0], "the cursor", 0, RecordReader::kMostCursors - 1);
    if (!number) return std::nullopt;
    if (!reader->is_open(*number)) return refuse(env, "the cursor", "one that is open");
    return number;
  }
};

std::optional<RowNames::Kind> row_kind(napi_env env, napi_value v) {
  const std::string kind = text(env, v);
  if (kind == "listener") return RowNames::Kind::listener;
  if (kind == "route") return RowNames::Kind::route;
  if (kind == "server") return RowNames::Kind::server;
  return refuse(env, "the kind of a row", "listener, route or server");
}

// new RecordReader({ boardFd, workers })
napi_value construct(napi_env env, napi_callback_info info) {
  napi_value options = nullptr, self = nullptr, target = nullptr;
  size_t count = 1;
  napi_get_cb_info(env, info, &count, &options, &self, nullptr);
  if (napi_get_new_target(env, info, &target) != napi_ok || !target) return refuse(env, "the class", "called with new"), nullptr;
  if (!is_a(env, options, napi_object)) return refuse(env, "the options", "an object"), nullptr;
  const auto fd = whole(env, get(env, options, "boardFd"), "boardFd", 0, INT32_MAX);
  if (!fd) return nullptr;
  const auto workers = whole(env, get(env, options, "workers"), "workers", 1, abi::board::workers);
  if (!workers) return nullptr;
  auto reader = std::make_unique<RecordReader>();
  if (!reader->map(int(*fd), *workers)) return throw_errno(env, errno, "cannot map the board to read records");
  const auto free_it = [](napi_env, void* data, void*) { delete static_cast<RecordReader*>(data); };
  if (napi_type_tag_object(env, self, &kTag) != napi_ok || napi_wrap(env, self, reader.get(), free_it, nullptr, nullptr) != napi_ok)
    return nullptr;
  (void)reader.release();
  return self;
}

// name(kind, row, name)
napi_value name_row(napi_env env, napi_callback_info info) {
  const ReaderCall c(env, info);
  if (!c.reader) return nullptr;
  const auto kind = row_kind(env, c.args[0]);
  if (!kind) return nullptr;
  const auto row = whole(env, c.args[1], "the row", 0, RowNames::rows(*kind) - 1);
  if (!row) return nullptr;
  const auto name = string_of(env, c.args[2], "the name of a row");
  if (name) c.reader->names.set(*kind, *row, *name);
  return nullptr;
}

// open(format, fromOldest) -> cursor
napi_value open_cursor(napi_env env, napi_callback_info info) {
  const ReaderCall c(env, info);
  if (!c.reader) return nullptr;
  auto format = read_format(env, c.args[0]);
  if (!format) return nullptr;
  const auto from_oldest = flag_of(env, c.args[1], "fromOldest");
  if (!from_oldest) return nullptr;
  const int cursor = c.reader->open(std::move(*format), *from_oldest ? RecordCursor::From::oldest : RecordCursor::From::latest);
  if (cursor >= 0) return make_int(env, cursor);
  napi_throw_error(env, "ERR_OUT_OF_RANGE", "RecordReader: 16 cursors are open already; close one first");
  return nullptr;
}

// reformat(cursor, format)
napi_value reformat_cursor(napi_env env, napi_callback_info info) {
  const ReaderCall c(env, info);
  const auto cursor = c.cursor();
  if (!cursor) return nullptr;
  auto format = read_format(env, c.args[1]);
  if (format) c.reader->reformat(*cursor, std::move(*format));
  return nullptr;
}

napi_value close_cursor(napi_env env, napi_callback_info info) {
  const ReaderCall c(env, info);
  if (const auto cursor = c.cursor()) c.reader->close(*cursor);
  return nullptr;
}

// read(cursor, into) -> bytes
napi_value read_lines(napi_env env, napi_callback_info info) {
  const ReaderCall c(env, info);
  const auto cursor = c.cursor();
  if (!cursor) return nullptr;
  napi_typedarray_type type = napi_int8_array;
  size_t room = 0;
  void* into = nullptr;
  const napi_status status = napi_get_typedarray_info(env, c.args[1], &type, &room, &into, nullptr, nullptr);
  if (status != napi_ok || type != napi_uint8_array || room < kMostLineBytes)
    return refuse(env, "what is read into", "a Uint8Array of at least 65536 bytes"), nullptr;
  return make(env, double(c.reader->read(*cursor, static_cast<char*>(into), room)));
}

// counts(cursor) -> { lost, read }
napi_value counts(napi_env env, napi_callback_info info) {
  const ReaderCall c(env, info);
  const auto cursor = c.cursor();
  if (!cursor) return nullptr;
  const RecordReader::Counts sum = c.reader->counts(*cursor);
  napi_value o = nullptr;
  napi_create_object(env, &o);
  napi_set_named_property(env, o, "lost", make(env, double(sum.lost)));
  napi_set_named_property(env, o, "read", make(env, double(sum.read)));
  return o;
}

}  // namespace

napi_value record_reader_class(napi_env env) {
  const auto method = [](const char* name, napi_callback call) {
    return napi_property_descriptor{name, nullptr, call, nullptr, nullptr, nullptr, napi_default_method, nullptr};
  };
  const napi_property_descriptor methods[] = {
      method("name", name_row),
      method("open", open_cursor),
      method("reformat", reformat_cursor),
      method("close", close_cursor),
      method("read", read_lines),
      method("counts", counts),
  };
  napi_value c = nullptr;
  napi_define_class(env, "RecordReader", NAPI_AUTO_LENGTH, construct, nullptr, std::size(methods), methods, &c);
  return c;
}

}  // namespace weir::binding
