#include "formats/logs/shape.h"

/*
 * Envoy's JSON access log in the names of its documentation (and Istio's),
 * nginx's in the names of its variables.  Neither has contents, only sizes.
 */
int
envoy_json(struct logs_ctx *c)
{
	const uint32_t peer = jdoc_get(c->d, c->obj,
	    "downstream_remote_address");
	struct cursor host;

	if (jdoc_get(c->d, c->obj, "start_time") == JDOC_NONE ||
	    jdoc_get(c->d, c->obj, "response_flags") == JDOC_NONE)
		return 0;
	row_begin(c, SHAPE_envoy);
	row_time(c, "start_time");
	row_get(c, LOGS_REQ_ID, "request_id");
	if (jdoc_is(c->d, peer, JDOC_STRING)) {
		cursor_init(&host, c->d->p + c->d->v[peer].off,
		    c->d->v[peer].len, 0);
		row_sub(c, LOGS_CALLER_IP, textline_host(host));
	}
	row_get(c, LOGS_FORWARDED, "x_forwarded_for");
	row_get(c, LOGS_UA, "user_agent");
	row_get(c, LOGS_OP, "method");
	row_get(c, LOGS_PATH, "path");
	row_get(c, LOGS_ENDPOINT, "authority");
	row_get(c, LOGS_DEPLOYMENT, "upstream_cluster");
	row_get(c, LOGS_STATUS, "response_code");
	row_get(c, LOGS_ERROR, "response_flags");
	row_count(c, LOGS_IN_BYTES, "bytes_received");
	row_count(c, LOGS_OUT_BYTES, "bytes_sent");
	row_latency(c, "duration", 1e3);
	return emit_row(c);
}

int
nginx_json_json(struct logs_ctx *c)
{
	if (jdoc_get(c->d, c->obj, "remote_addr") == JDOC_NONE ||
	    (jdoc_get(c->d, c->obj, "request_uri") == JDOC_NONE &&
	    jdoc_get(c->d, c->obj, "request") == JDOC_NONE &&
	    jdoc_get(c->d, c->obj, "uri") == JDOC_NONE))
		return 0;
	row_begin(c, SHAPE_nginx_json);
	/* msec has milliseconds, time_iso8601 seconds. */
	if (!row_time(c, "msec") && !row_time(c, "time_iso8601") &&
	    !row_time(c, "time_local") && !row_time(c, "timestamp") &&
	    !row_time(c, "@timestamp") && !row_time(c, "time") &&
	    !row_time(c, "ts"))
		row_untimed(c);
	row_get(c, LOGS_REQ_ID, "request_id");
	row_get(c, LOGS_CALLER_IP, "remote_addr");
	row_get(c, LOGS_FORWARDED, "http_x_forwarded_for");
	if (!row_get(c, LOGS_CALLER_ID, "remote_user"))
		row_get(c, LOGS_CALLER_ID, "ssl_client_s_dn");
	row_get(c, LOGS_UA, "http_user_agent");
	row_get(c, LOGS_OP, "request_method");
	if (!row_get(c, LOGS_PATH, "request_uri") &&
	    !row_get(c, LOGS_PATH, "uri"))
		row_get(c, LOGS_PATH, "request");
	if (!row_get(c, LOGS_ENDPOINT, "host"))
		row_get(c, LOGS_ENDPOINT, "server_name");
	row_get(c, LOGS_DEPLOYMENT, "upstream_addr");
	row_get(c, LOGS_STATUS, "status");
	row_count(c, LOGS_IN_BYTES, "request_length");
	if (!row_count(c, LOGS_OUT_BYTES, "body_bytes_sent"))
		row_count(c, LOGS_OUT_BYTES, "bytes_sent");
	row_latency(c, "request_time", 1e6);
	if (jdoc_is(c->d, jdoc_get(c->d, c->obj, "request_body"),
	    JDOC_STRING)) {
		const struct logs_content_part at = payload_part(c, c->d,
		    jdoc_get(c->d, c->obj, "request_body"), NULL);

		payload_bytes(c, false, at.p, at.n, NULL, 0, &at);
	}
	return emit_row(c);
}
