#include "formats/logs/shape.h"

/*
 * LiteLLM: the standard logging payload of its callbacks, and an export of
 * the table LiteLLM_SpendLogs, which holds messages only with store_prompts.
 * api_key is the SHA-256 of the key, never the key.
 */
static void
common(struct logs_ctx *c)
{
	row_get(c, LOGS_MODEL, "model");
	row_get(c, LOGS_VERSION, "model_id");
	row_get(c, LOGS_DEPLOYMENT, "api_base");
	row_get(c, LOGS_ENDPOINT, "model_group");
	row_get(c, LOGS_OP, "call_type");
	row_get(c, LOGS_STATUS, "status");
	row_get(c, LOGS_END_USER, "end_user");
	row_get(c, LOGS_CALLER_IP, "requester_ip_address");
	row_count(c, LOGS_IN_TOKENS, "prompt_tokens");
	row_count(c, LOGS_OUT_TOKENS, "completion_tokens");
	row_time(c, "startTime");
	row_end_time(c, "endTime");
	payload_request(c, c->d, jdoc_get(c->d, c->obj, "messages"));
	payload_response(c, c->d, jdoc_get(c->d, c->obj, "response"));
}

int
litellm_json(struct logs_ctx *c)
{
	if (jdoc_get(c->d, c->obj, "call_type") == JDOC_NONE ||
	    jdoc_get(c->d, c->obj, "startTime") == JDOC_NONE ||
	    jdoc_get(c->d, c->obj, "id") == JDOC_NONE)
		return 0;
	row_begin(c, SHAPE_litellm);
	common(c);
	row_get(c, LOGS_REQ_ID, "id");
	row_get(c, LOGS_SESSION, "trace_id");
	row_get(c, LOGS_ERROR, "error_str");
	if (!row_get(c, LOGS_CALLER_ID, "metadata.user_api_key_user_id"))
		row_get(c, LOGS_CALLER_ID, "metadata.user_api_key_alias");
	row_get(c, LOGS_KEY_HASH, "metadata.user_api_key_hash");
	if (!c->v[LOGS_CALLER_IP].set)
		row_get(c, LOGS_CALLER_IP, "metadata.requester_ip_address");
	row_latency(c, "response_time", 1e6);
	return emit_row(c);
}

int
spendlogs_json(struct logs_ctx *c)
{
	if (jdoc_get(c->d, c->obj, "request_id") == JDOC_NONE ||
	    jdoc_get(c->d, c->obj, "startTime") == JDOC_NONE ||
	    (jdoc_get(c->d, c->obj, "spend") == JDOC_NONE &&
	    jdoc_get(c->d, c->obj, "call_type") == JDOC_NONE))
		return 0;
	row_begin(c, SHAPE_spendlogs);
	common(c);
	row_get(c, LOGS_REQ_ID, "request_id");
	row_get(c, LOGS_SESSION, "session_id");
	row_get(c, LOGS_CALLER_ID, "user");
	row_get(c, LOGS_KEY_HASH, "api_key");
	if (!row_latency(c, "request_duration_ms", 1e3) &&
	    c->v[LOGS_TS].set && c->v[LOGS_END].set)
		row_latency_us(c, ((double)(int64_t)(c->v[LOGS_END].u -
		    c->v[LOGS_TS].u)) / 1e3, "difference");
	return emit_row(c);
}
