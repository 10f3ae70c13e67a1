#include <string.h>

#include "base/arena.h"
#include "formats/logs/shape.h"

/*
 * What was answered: text, a label, scores.
 *
 *	{"choices": [{"message": {"content"} | "text"}]}	OpenAI
 *	{"content": [{"text"}]}, {"completion"}, {"generation"},
 *	{"output": {"message": ...}}, {"results": [{"outputText"}]}
 *	[{"label", "score"}], [[...]], [{"generated_text"}]	pipelines
 *	{"predictions": [...]}, {"outputs": [{"datatype", "data"}]}
 *	{"data": {"ndarray": [[...]]}}
 *
 * A label is taken where one stands, never the place of the largest score: an
 * order of classes is not in the log.  Of several rows no scores are taken.
 */
void
answer_scores(struct logs_ctx *c, struct jdoc *d, uint32_t i)
{
	size_t n = 0;
	double real;
	uint32_t k;

	while (jdoc_is(d, i, JDOC_ARRAY) && d->v[i].count == 1 &&
	    jdoc_is(d, i + 1, JDOC_ARRAY))
		i++;
	if (!jdoc_is(d, i, JDOC_ARRAY) || d->v[i].count == 0 ||
	    d->v[i].count > LIMIT_LOG_SCORES)
		return;
	for (k = i + 1; k != JDOC_NONE; k = d->v[k].next) {
		if (!jdoc_is(d, k, JDOC_NUMBER) || !jdoc_real(d, k, &real))
			return;
		c->scores[n++] = real;
	}
	fields_reals(&c->v[LOGS_SCORES], c->scores, n);
}

bool
answer_named(struct logs_ctx *c, struct jdoc *d, uint32_t i)
{
	size_t n = 0;

	if (!jdoc_is(d, i, JDOC_OBJECT) || d->v[i].count == 0 ||
	    d->v[i].count > LIMIT_LOG_SCORES)
		return false;
	for (uint32_t k = i + 1; k != JDOC_NONE; k = d->v[k].next) {
		if (!jdoc_is(d, k, JDOC_NUMBER) ||
		    !jdoc_real(d, k, &c->scores[n]))
			return false;
		c->classes[n++] = (struct logs_name){d->p + d->v[k].key_off,
		    d->v[k].key_len};
	}
	c->nclasses = n;
	fields_reals(&c->v[LOGS_SCORES], c->scores, n);
	return true;
}

static bool
is_real(const struct jdoc *d, uint32_t i)
{
	const uint8_t *p;
	size_t n;

	if (!jdoc_is(d, i, JDOC_NUMBER))
		return false;
	jdoc_raw(d, i, &p, &n);
	return memchr(p, '.', n) != NULL || memchr(p, 'e', n) != NULL;
}

/* Predictions: one scalar is a label, several are one as they stand. */
static void
predictions(struct logs_ctx *c, struct jdoc *d, uint32_t i)
{
	struct logs_content_part x;
	uint32_t k = i;

	while (jdoc_is(d, k, JDOC_ARRAY))
		k = jdoc_at(d, k, 0);
	if (is_real(d, k)) {
		answer_scores(c, d, i);
		return;
	}
	if (!jdoc_is(d, k, JDOC_NUMBER) && !jdoc_is(d, k, JDOC_STRING))
		return;
	while (jdoc_is(d, i, JDOC_ARRAY) && d->v[i].count == 1)
		i = i + 1;
	x = payload_part(c, d, i, NULL);
	row_text(c, LOGS_LABEL, x.p, x.n);
}

/* [{"label": "POSITIVE", "score": 0.99}, ...]; the first is the answer. */
static bool
pipeline(struct logs_ctx *c, struct jdoc *d, uint32_t i)
{
	struct logs_content_part x;
	uint32_t first = i, label, k;
	size_t n = 0;
	double s;

	while (jdoc_is(d, first, JDOC_ARRAY))
		first = jdoc_at(d, i = first, 0);
	label = jdoc_get(d, first, "label");
	if (label == JDOC_NONE || jdoc_get(d, first, "score") == JDOC_NONE)
		return false;
	for (k = first; k != JDOC_NONE && n < LIMIT_LOG_SCORES;
	    k = jdoc_is(d, i, JDOC_ARRAY) ? d->v[k].next : JDOC_NONE)
		if (jdoc_real(d, jdoc_get(d, k, "score"), &s)) {
			const uint32_t name = jdoc_get(d, k, "label");

			c->scores[n] = s;
			if (c->nclasses == n && jdoc_is(d, name,
			    JDOC_STRING)) {
				jdoc_raw(d, name, &c->classes[n].p,
				    &c->classes[n].n);
				c->nclasses++;
			}
			n++;
		}
	x = payload_part(c, d, label, NULL);
	row_text(c, LOGS_LABEL, x.p, x.n);
	fields_reals(&c->v[LOGS_SCORES], c->scores, n);
	c->out = payload_part(c, d, i, "json");
	return true;
}

static bool
text_at(struct logs_ctx *c, struct jdoc *d, uint32_t i, const char *path)
{
	const uint32_t k = jdoc_path(d, i, path);

	if (!jdoc_is(d, k, JDOC_STRING))
		return false;
	c->out = payload_part(c, d, k, "text");
	return true;
}

/* Choices of a chat or a completion: their texts, one below the other. */
static bool
choices(struct logs_ctx *c, struct jdoc *d, uint32_t list)
{
	static const char *const paths[] = {"message.content", "text",
	    "delta.content", "message.reasoning_content"};
	struct logs_content_part all;
	size_t n = 0, len;
	const uint8_t *p;
	uint8_t *out;

	if (!jdoc_is(d, list, JDOC_ARRAY) || d->v[list].count == 0)
		return false;
	all = payload_part(c, d, list, "text");
	if (d->v[list].count == 1)
		for (size_t q = 0; q < sizeof(paths) / sizeof(paths[0]); q++)
			if (text_at(c, d, list + 1, paths[q]))
				return true;
	if ((out = arena_alloc(c->scratch, all.len + all.n + 1)) == NULL)
		return false;
	for (uint32_t k = list + 1; k != JDOC_NONE; k = d->v[k].next)
		for (size_t q = 0; q < sizeof(paths) / sizeof(paths[0]); q++)
			if (jdoc_text(d, jdoc_path(d, k, paths[q]),
			    c->scratch, &p, &len)) {
				if (n > 0)
					out[n++] = '\n';
				memcpy(out + n, p, len);
				n += len;
				break;
			}
	if (n > 0) {
		all.p = out;
		all.n = n;
	}
	c->out = all;
	return true;
}

static bool
v2_outputs(struct logs_ctx *c, struct jdoc *d, uint32_t list)
{
	const uint32_t first = jdoc_at(d, list, 0);
	const uint32_t type = jdoc_get(d, first, "datatype");
	const uint32_t data = jdoc_get(d, first, "data");

	if (type == JDOC_NONE || data == JDOC_NONE)
		return false;
	c->out = payload_part(c, d, d->v[list].count == 1 ? data : list,
	    "json");
	if (jdoc_equal(d, type, "FP32") || jdoc_equal(d, type, "FP64") ||
	    jdoc_equal(d, type, "FP16"))
		answer_scores(c, d, data);
	else
		predictions(c, d, data);
	return true;
}

bool
answer_object(struct logs_ctx *c, struct jdoc *d, uint32_t i)
{
	static const char *const texts[] = {"completion", "generation",
	    "generated_text", "outputText", "output_text", "results.0.outputText",
	    "0.generated_text", "text", "output", "answer"};
	struct logs_content_part x;
	uint32_t k;

	if (choices(c, d, jdoc_get(d, i, "choices")) || pipeline(c, d, i))
		return true;
	if ((k = jdoc_path(d, i, "output.message")) != JDOC_NONE &&
	    (k = jdoc_get(d, k, "content")) != JDOC_NONE &&
	    text_at(c, d, k, "0.text"))
		return true;
	for (size_t q = 0; q < sizeof(texts) / sizeof(texts[0]); q++)
		if (text_at(c, d, i, texts[q]))
			return true;
	if (text_at(c, d, i, "content.0.text"))
		return true;
	if ((k = jdoc_get(d, i, "label")) != JDOC_NONE) {
		x = payload_part(c, d, k, NULL);
		row_text(c, LOGS_LABEL, x.p, x.n);
		answer_scores(c, d, jdoc_get(d, i, "scores"));
		return false;	/* the whole is the output */
	}
	if (v2_outputs(c, d, jdoc_get(d, i, "outputs")))
		return true;
	if ((k = jdoc_get(d, i, "predictions")) != JDOC_NONE ||
	    (k = jdoc_path(d, i, "data.ndarray")) != JDOC_NONE ||
	    (jdoc_is(d, i, JDOC_ARRAY) && (k = i) != JDOC_NONE)) {
		c->out = payload_part(c, d, k, "json");
		predictions(c, d, k);
		return true;
	}
	return false;
}

void
answer_csv(struct logs_ctx *c, const uint8_t *p, size_t n)
{
	size_t from = 0, count = 0;

	while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r'))
		n--;
	for (size_t i = 0; i <= n; i++) {
		size_t a = from, b = i;

		if (i < n && p[i] != ',')
			continue;
		while (a < b && p[a] == ' ')
			a++;
		while (b > a && p[b - 1] == ' ')
			b--;
		if (count == LIMIT_LOG_SCORES ||
		    !jdoc_decimal(p + a, b - a, &c->scores[count]))
			return;
		count++;
		from = i + 1;
	}
	fields_reals(&c->v[LOGS_SCORES], c->scores, count);
}
