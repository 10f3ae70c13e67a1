#include "formats/logs/shape.h"

/*
 * What clouds capture.
 *
 * SageMaker samples (20 % by default: absence proves nothing) and names no
 * caller.  Azure ML may put a payload over 4 MB into another file.  Vertex is
 * a BigQuery table, exported.  Bedrock puts bodies over 100 KB into objects of
 * their own; CloudTrail has the same requestId, and the caller's address.
 */
static void
capture(struct logs_ctx *c, bool response, uint32_t side)
{
	const uint32_t encoding = jdoc_get(c->d, side, "encoding");
	const uint32_t data = jdoc_get(c->d, side, "data");
	const uint8_t *type = NULL;
	struct logs_content_part at;
	size_t n = 0;

	if (data == JDOC_NONE)
		return;
	(void)jdoc_text(c->d, jdoc_get(c->d, side, "observedContentType"),
	    c->scratch, &type, &n);
	if (jdoc_equal(c->d, encoding, "BASE64")) {
		(void)payload_base64(c, response, data, (const char *)type, n);
		return;
	}
	at = payload_part(c, c->d, data, NULL);
	payload_bytes(c, response, at.p, at.n, jdoc_equal(c->d, encoding,
	    "CSV") ? "text/csv" : (const char *)type,
	    jdoc_equal(c->d, encoding, "CSV") ? 8 : n, &at);
}

int
sagemaker_json(struct logs_ctx *c)
{
	const uint32_t cap = jdoc_get(c->d, c->obj, "captureData");
	uint32_t in, out;

	if (cap == JDOC_NONE ||
	    jdoc_get(c->d, c->obj, "eventMetadata") == JDOC_NONE)
		return 0;
	in = jdoc_get(c->d, cap, "endpointInput");
	out = jdoc_get(c->d, cap, "endpointOutput");
	row_begin(c, SHAPE_sagemaker);
	row_str(c, LOGS_KIND, out == JDOC_NONE ? "request" :
	    in == JDOC_NONE ? "response" : "pair");
	row_get(c, LOGS_REQ_ID, "eventMetadata.eventId");
	row_time(c, "eventMetadata.inferenceTime");
	row_first(c, LOGS_SESSION, jdoc_path(c->d, c->obj,
	    "eventMetadata.customAttributes"));
	row_get(c, LOGS_CALLER_ID, "eventMetadata.inferenceId");
	capture(c, false, in);
	capture(c, true, out);
	return emit_row(c);
}

static bool
says(const struct jdoc *d, uint32_t i, const char *tail)
{
	const uint8_t *p;
	struct cursor c;
	size_t n;

	if (!jdoc_is(d, i, JDOC_STRING))
		return false;
	jdoc_raw(d, i, &p, &n);
	cursor_init(&c, p, n, 0);
	return textline_starts(c, "azureml.inference.") &&
	    textline_is(c, tail);
}

int
azureml_json(struct logs_ctx *c)
{
	const uint32_t type = jdoc_get(c->d, c->obj, "type");
	const bool response = says(c->d, type, "azureml.inference.outputs") ||
	    says(c->d, type, "azureml.inference.model_outputs") ||
	    says(c->d, type, "azureml.inference.response");
	uint32_t data;

	if (!response && !says(c->d, type, "azureml.inference.inputs") &&
	    !says(c->d, type, "azureml.inference.model_inputs") &&
	    !says(c->d, type, "azureml.inference.request"))
		return 0;
	row_begin(c, SHAPE_azureml);
	row_str(c, LOGS_KIND, response ? "response" : "request");
	if (!row_get(c, LOGS_REQ_ID, "xrequestid"))
		row_get(c, LOGS_REQ_ID, "correlationid");
	row_get(c, LOGS_SESSION, "correlationid");
	row_get(c, LOGS_ENDPOINT, "source");
	row_get(c, LOGS_VERSION, "modelversion");
	row_get(c, LOGS_UA, "agent");
	row_time(c, "time");
	data = jdoc_get(c->d, c->obj, "data");
	if (jdoc_equal(c->d, jdoc_get(c->d, c->obj, "datainblob"), "true") ||
	    jdoc_is(c->d, jdoc_get(c->d, c->obj, "datainblob"), JDOC_TRUE))
		tell(c, LOGS_PROBLEM_PAYLOAD_ELSEWHERE, c->raw_off, c->raw_n,
		    "datainblob");
	if (response)
		payload_response(c, c->d, data);
	else
		payload_request(c, c->d, data);
	return emit_row(c);
}

/* A repeated string: each is a body; the first stands for all. */
static void
body(struct logs_ctx *c, bool response, uint32_t i)
{
	struct logs_content_part at;

	while (jdoc_is(c->d, i, JDOC_ARRAY))
		i = jdoc_at(c->d, i, 0);
	if (!jdoc_is(c->d, i, JDOC_STRING))
		return;
	at = payload_part(c, c->d, i, NULL);
	payload_bytes(c, response, at.p, at.n, NULL, 0, &at);
}

int
vertex_json(struct logs_ctx *c)
{
	if (jdoc_get(c->d, c->obj, "logging_time") == JDOC_NONE ||
	    jdoc_get(c->d, c->obj, "request_payload") == JDOC_NONE)
		return 0;
	row_begin(c, SHAPE_vertex);
	row_get(c, LOGS_REQ_ID, "request_id");
	row_get(c, LOGS_ENDPOINT, "endpoint");
	row_get(c, LOGS_DEPLOYMENT, "deployed_model_id");
	row_get(c, LOGS_MODEL, "model");
	if (row_time(c, "logging_time"))
		row_str(c, LOGS_TS_QUALITY, "recorded");
	body(c, false, jdoc_get(c->d, c->obj, "request_payload"));
	body(c, true, jdoc_get(c->d, c->obj, "response_payload"));
	return emit_row(c);
}

int
bedrock_json(struct logs_ctx *c)
{
	uint32_t in, out;

	if (!jdoc_equal(c->d, jdoc_get(c->d, c->obj, "schemaType"),
	    "ModelInvocationLog"))
		return 0;
	row_begin(c, SHAPE_bedrock);
	row_get(c, LOGS_REQ_ID, "requestId");
	row_time(c, "timestamp");
	row_get(c, LOGS_CALLER_ID, "identity.arn");
	row_get(c, LOGS_MODEL, "modelId");
	row_get(c, LOGS_OP, "operation");
	row_get(c, LOGS_ENDPOINT, "region");
	row_get(c, LOGS_DEPLOYMENT, "accountId");
	row_get(c, LOGS_ERROR, "errorCode");
	row_count(c, LOGS_IN_TOKENS, "input.inputTokenCount");
	row_count(c, LOGS_OUT_TOKENS, "output.outputTokenCount");
	row_latency(c, "output.outputBodyJson.metrics.latencyMs", 1e3);
	in = jdoc_path(c->d, c->obj, "input.inputBodyJson");
	out = jdoc_path(c->d, c->obj, "output.outputBodyJson");
	if (in == JDOC_NONE && jdoc_path(c->d, c->obj,
	    "input.inputBodyS3Path") != JDOC_NONE)
		tell(c, LOGS_PROBLEM_PAYLOAD_ELSEWHERE, c->raw_off, c->raw_n,
		    "inputBodyS3Path");
	if (out == JDOC_NONE && jdoc_path(c->d, c->obj,
	    "output.outputBodyS3Path") != JDOC_NONE)
		tell(c, LOGS_PROBLEM_PAYLOAD_ELSEWHERE, c->raw_off, c->raw_n,
		    "outputBodyS3Path");
	payload_request(c, c->d, in);
	payload_response(c, c->d, out);
	return emit_row(c);
}
