// Headers of a response that say how it came about: Server-Timing (W3C), Proxy-Status (RFC 9209), and X-Request-Id on failures, by
// which people ask for the story of a request.
#pragma once
#include "http/head_writer.h"

namespace weir {

// Of a server's response, and of an answer of our own.
void write_response_facts(ByteSink& out, const HeadSources& from);
void write_answer_facts(ByteSink& out, const HeadSources& from, const Answer& answer);

}  // namespace weir
