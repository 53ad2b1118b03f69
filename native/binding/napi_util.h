// Small helpers over the C Node-API: values in and out of configuration objects, and errors as exceptions of JavaScript.
#pragma once
#include <node_api.h>

#include <cstdint>
#include <string>
#include <vector>

namespace weir::binding {

inline napi_value get(napi_env env, napi_value object, const char* key) {
  napi_value v = nullptr;
  if (napi_get_named_property(env, object, key, &v) != napi_ok) return nullptr;
  return v;
}

inline bool is_nullish(napi_env env, napi_value v) {
  napi_valuetype type = napi_undefined;
  return !v || napi_typeof(env, v, &type) != napi_ok || type == napi_undefined || type == napi_null;
}

inline double number(napi_env env, napi_value v, double otherwise = 0) {
  double d = otherwise;
  if (v && napi_get_value_double(env, v, &d) != napi_ok) d = otherwise;
  return d;
}

inline bool boolean(napi_env env, napi_value v) {
  bool b = false;
  return v && napi_get_value_bool(env, v, &b) == napi_ok && b;
}

inline std::string text(napi_env env, napi_value v) {
  size_t n = 0;
  if (!v || napi_get_value_string_utf8(env, v, nullptr, 0, &n) != napi_ok) return {};
  std::string s(n, '\0');
  napi_get_value_string_utf8(env, v, s.data(), n + 1, &n);
  return s;
}

// Field values are bytes: JavaScript sees each as one latin1 character.
inline std::string latin1(napi_env env, napi_value v) {
  size_t n = 0;
  if (!v || napi_get_value_string_latin1(env, v, nullptr, 0, &n) != napi_ok) return {};
  std::string s(n, '\0');
  napi_get_value_string_latin1(env, v, s.data(), n + 1, &n);
  return s;
}

inline double number_at(napi_env env, napi_value o, const char* key, double otherwise = 0) { return number(env, get(env, o, key), otherwise); }
inline std::string text_at(napi_env env, napi_value o, const char* key) { return text(env, get(env, o, key)); }

template <typename F>
void each(napi_env env, napi_value array, F&& f) {
  uint32_t n = 0;
  if (!array || napi_get_array_length(env, array, &n) != napi_ok) return;
  for (uint32_t i = 0; i < n; ++i) {
    napi_value v = nullptr;
    if (napi_get_element(env, array, i, &v) == napi_ok) f(v);
  }
}

inline napi_value make(napi_env env, double d) {
  napi_value v = nullptr;
  napi_create_double(env, d, &v);
  return v;
}
inline napi_value make_int(napi_env env, int32_t i) {
  napi_value v = nullptr;
  napi_create_int32(env, i, &v);
  return v;
}
inline napi_value make(napi_env env, bool b) {
  napi_value v = nullptr;
  napi_get_boolean(env, b, &v);
  return v;
}
inline napi_value make(napi_env env, std::string_view latin1) {
  napi_value v = nullptr;
  napi_create_string_latin1(env, latin1.data(), latin1.size(), &v);
  return v;
}
inline napi_value undefined(napi_env env) {
  napi_value v = nullptr;
  napi_get_undefined(env, &v);
  return v;
}

// Throws a JavaScript Error with an errno name as its `code`, as Node's own do.
napi_value throw_errno(napi_env env, int error, const std::string& message);

// A JavaScript ArrayBuffer over memory that lives as long as the process.
napi_value view_of(napi_env env, void* memory, size_t bytes);

}  // namespace weir::binding
