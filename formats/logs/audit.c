#include "formats/logs/shape.h"

/*
 * Who did what to the serving objects and the weights: Kubernetes' audit log,
 * CloudTrail, and traces of MLflow.
 */
/*
 * The connection's own address is the last; what stands before it the client
 * may have written (X-Forwarded-For, X-Real-Ip).
 */
static void
source_ips(struct logs_ctx *c, uint32_t list)
{
	if (!jdoc_is(c->d, list, JDOC_ARRAY) || c->d->v[list].count == 0)
		return;
	row_node(c, LOGS_CALLER_IP, jdoc_at(c->d, list,
	    c->d->v[list].count - 1));
	if (c->d->v[list].count > 1)
		row_node(c, LOGS_FORWARDED, jdoc_at(c->d, list, 0));
}

int
k8s_audit_json(struct logs_ctx *c)
{
	const uint32_t stage = jdoc_get(c->d, c->obj, "stage");
	uint32_t body;

	if (stage == JDOC_NONE ||
	    jdoc_get(c->d, c->obj, "auditID") == JDOC_NONE)
		return 0;
	row_begin(c, SHAPE_k8s_audit);
	row_str(c, LOGS_KIND, jdoc_equal(c->d, stage, "ResponseComplete") ||
	    jdoc_equal(c->d, stage, "Panic") ? "pair" :
	    jdoc_equal(c->d, stage, "RequestReceived") ? "request" : "event");
	if (!row_time(c, "requestReceivedTimestamp"))
		row_time(c, "stageTimestamp");
	row_end_time(c, "stageTimestamp");
	if (c->v[LOGS_END].set && c->v[LOGS_TS].set)
		row_latency_us(c, ((double)(int64_t)(c->v[LOGS_END].u -
		    c->v[LOGS_TS].u)) / 1e3, "difference");
	row_get(c, LOGS_REQ_ID, "auditID");
	row_get(c, LOGS_CALLER_ID, "user.username");
	row_get(c, LOGS_END_USER, "impersonatedUser.username");
	source_ips(c, jdoc_get(c->d, c->obj, "sourceIPs"));
	row_get(c, LOGS_UA, "userAgent");
	row_get(c, LOGS_OP, "verb");
	row_get(c, LOGS_PATH, "requestURI");
	row_get(c, LOGS_ENDPOINT, "objectRef.resource");
	row_get(c, LOGS_MODEL, "objectRef.name");
	row_get(c, LOGS_DEPLOYMENT, "objectRef.namespace");
	row_get(c, LOGS_STATUS, "responseStatus.code");
	row_get(c, LOGS_ERROR, "responseStatus.reason");
	body = jdoc_get(c->d, c->obj, "requestObject");
	if (body != JDOC_NONE)
		c->in = payload_part(c, c->d, body, "json");
	body = jdoc_get(c->d, c->obj, "responseObject");
	if (body != JDOC_NONE)
		c->out = payload_part(c, c->d, body, "json");
	return emit_row(c);
}

static int
trail_event(struct logs_ctx *c)
{
	uint32_t body;

	row_begin(c, SHAPE_cloudtrail);
	row_time(c, "eventTime");
	if (!row_get(c, LOGS_REQ_ID, "requestID"))
		row_get(c, LOGS_REQ_ID, "eventID");
	row_get(c, LOGS_SESSION, "sharedEventID");
	if (!row_get(c, LOGS_CALLER_ID, "userIdentity.arn"))
		row_get(c, LOGS_CALLER_ID, "userIdentity.principalId");
	row_get(c, LOGS_CALLER_IP, "sourceIPAddress");
	row_get(c, LOGS_UA, "userAgent");
	row_get(c, LOGS_OP, "eventName");
	row_get(c, LOGS_ENDPOINT, "eventSource");
	row_get(c, LOGS_DEPLOYMENT, "awsRegion");
	row_get(c, LOGS_PATH, "requestParameters.key");
	row_get(c, LOGS_MODEL, "requestParameters.bucketName");
	if (!c->v[LOGS_MODEL].set)
		row_get(c, LOGS_MODEL, "requestParameters.modelId");
	row_get(c, LOGS_STATUS, "errorCode");
	row_get(c, LOGS_ERROR, "errorMessage");
	row_count(c, LOGS_IN_BYTES, "additionalEventData.bytesTransferredIn");
	row_count(c, LOGS_OUT_BYTES,
	    "additionalEventData.bytesTransferredOut");
	body = jdoc_get(c->d, c->obj, "requestParameters");
	if (jdoc_is(c->d, body, JDOC_OBJECT))
		c->in = payload_part(c, c->d, body, "json");
	body = jdoc_get(c->d, c->obj, "responseElements");
	if (jdoc_is(c->d, body, JDOC_OBJECT))
		c->out = payload_part(c, c->d, body, "json");
	return emit_row(c);
}

int
cloudtrail_json(struct logs_ctx *c)
{
	const uint32_t all = jdoc_get(c->d, c->obj, "Records");
	int r = 1;

	if (jdoc_get(c->d, c->obj, "eventVersion") != JDOC_NONE &&
	    jdoc_get(c->d, c->obj, "eventSource") != JDOC_NONE)
		return trail_event(c);
	if (!jdoc_is(c->d, all, JDOC_ARRAY) || jdoc_get(c->d,
	    jdoc_at(c->d, all, 0), "eventVersion") == JDOC_NONE)
		return 0;
	for (uint32_t k = jdoc_at(c->d, all, 0); k != JDOC_NONE && r >= 0;
	    k = c->d->v[k].next)
		if (jdoc_is(c->d, k, JDOC_OBJECT))
			r = framing_part(c, k, trail_event);
	return r;
}

/*
 * A trace of MLflow 3 as its artifact (traces.json) or the REST API has it:
 * {"info": {...}, "data": {"spans": [...]}}, or a row of trace_info.
 */
static uint32_t
trace_metadata(struct logs_ctx *c, const char *name)
{
	static const char *const lists[] = {"trace_request_metadata",
	    "request_metadata", "trace_metadata", "tags"};
	uint32_t list, hit;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		list = jdoc_get(c->d, c->obj, lists[i]);
		if ((hit = jdoc_get(c->d, list, name)) != JDOC_NONE)
			return hit;
		/* Older REST: a list of {"key", "value"}. */
		if (!jdoc_is(c->d, list, JDOC_ARRAY))
			continue;
		for (uint32_t k = jdoc_at(c->d, list, 0); k != JDOC_NONE;
		    k = c->d->v[k].next)
			if (jdoc_equal(c->d, jdoc_get(c->d, k, "key"), name))
				return jdoc_get(c->d, k, "value");
	}
	return JDOC_NONE;
}

static void
trace_body(struct logs_ctx *c, bool response, uint32_t i)
{
	struct logs_content_part at;

	if (i == JDOC_NONE)
		return;
	if (!jdoc_is(c->d, i, JDOC_STRING)) {
		if (response)
			payload_response(c, c->d, i);
		else
			payload_request(c, c->d, i);
		return;
	}
	at = payload_part(c, c->d, i, NULL);
	payload_bytes(c, response, at.p, at.n, NULL, 0, &at);
}

int
mlflow_trace_json(struct logs_ctx *c)
{
	const uint32_t outer = c->obj, info = jdoc_get(c->d, outer, "info");
	const uint32_t root = jdoc_path(c->d, outer, "data.spans.0.attributes");
	uint32_t in, out;

	if (jdoc_is(c->d, info, JDOC_OBJECT))
		c->obj = info;
	if (jdoc_get(c->d, c->obj, "trace_request_metadata") == JDOC_NONE &&
	    jdoc_get(c->d, c->obj, "execution_time_ms") == JDOC_NONE &&
	    jdoc_get(c->d, c->obj, "trace_metadata") == JDOC_NONE) {
		c->obj = outer;
		return 0;
	}
	row_begin(c, SHAPE_mlflow_trace);
	if (!row_time(c, "timestamp_ms") && !row_time(c, "request_time"))
		row_untimed(c);
	if (!row_get(c, LOGS_REQ_ID, "request_id"))
		row_get(c, LOGS_REQ_ID, "trace_id");
	row_get(c, LOGS_ENDPOINT, "experiment_id");
	if (!row_get(c, LOGS_STATUS, "status"))
		row_get(c, LOGS_STATUS, "state");
	row_latency(c, "execution_time_ms", 1e3);
	row_node(c, LOGS_CALLER_ID, trace_metadata(c, "mlflow.trace.user"));
	row_node(c, LOGS_SESSION, trace_metadata(c, "mlflow.trace.session"));
	row_node(c, LOGS_OP, trace_metadata(c, "mlflow.traceName"));
	row_node(c, LOGS_MODEL, trace_metadata(c, "mlflow.modelId"));
	in = jdoc_get(c->d, root, "mlflow.spanInputs");
	out = jdoc_get(c->d, root, "mlflow.spanOutputs");
	trace_body(c, false, in != JDOC_NONE ? in :
	    trace_metadata(c, "mlflow.traceInputs"));
	trace_body(c, true, out != JDOC_NONE ? out :
	    trace_metadata(c, "mlflow.traceOutputs"));
	c->obj = outer;
	return emit_row(c);
}
