#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/apilog/apilog_record.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/logs/logs.h"

/* What lines of a log become: the record, in a line of words. */

static struct apilog_record x;
static char said[4096];
static const char *fields;

static void
add(const char *fmt, ...)
{
	const size_t n = strlen(said);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(said + n, sizeof(said) - n, fmt, ap);
	va_end(ap);
}

static void
say(const struct traffic_record *t)
{
	static const char *const kinds[] = {"none", "text", "image",
	    "vector"};

	add("%s#%llu %s", said[0] != '\0' ? "|" : "",
	    (unsigned long long)t->number, kinds[t->kind]);
	if (t->kind == TRAFFIC_TEXT)
		add(" '%.*s'", (int)t->text.n, t->text.p);
	if (t->kind == TRAFFIC_IMAGE)
		add(" %ux%ux%u %u %u", t->height, t->width, t->channels,
		    t->pixels[0], t->pixels[t->height * t->width *
		    t->channels - 1]);
	if (t->kind == TRAFFIC_VECTOR)
		add(" %zu %g %g", t->nvector, t->vector[0],
		    t->vector[t->nvector - 1]);
	if (t->caller.p != NULL)
		add(" by %.*s", (int)t->caller.n, t->caller.p);
	if (t->label.p != NULL)
		add(" is %.*s", (int)t->label.n, t->label.p);
	if (t->has_status)
		add(" status %u", t->status);
	for (size_t i = 0; i < t->nscores; i++)
		add(" %.*s%g", t->classes != NULL ? (int)t->classes[i].n :
		    0, t->classes != NULL ? t->classes[i].p : "",
		    t->scores[i]);
	if (t->has_digest)
		add(" digest %02x", t->digest[0]);
}

static int
record(void *ctx, const struct logs_record *r)
{
	struct traffic_record t;
	int rc = apilog_record_take(&x, r, &t, NULL);

	(void)ctx;
	assert_true(rc >= 0);
	if (rc > 0)
		say(&t);
	return 0;
}

static int
problem(void *ctx, const struct logs_told *t)
{
	(void)ctx;
	(void)t;
	return 0;
}

static int
secret(void *ctx, const struct logs_secret *s)
{
	(void)ctx;
	(void)s;
	return 0;
}

static int
account(void *ctx, const struct logs_account *a)
{
	(void)ctx;
	(void)a;
	return 0;
}

static const char *
read_log(const char *text)
{
	const struct logs_events ev = {record, problem, secret, account, NULL,
	    NULL};
	const struct logs_params p = {.ev = &ev, .content = LOGS_BARE,
	    .fields = fields};
	struct logs_file f = {.path = "a", .path_len = 1};
	struct bytesrc *src = bytesrc_mem(text, strlen(text), NULL);
	struct logs *l = logs_new(&p, NULL);

	assert_non_null(src);
	assert_non_null(l);
	said[0] = '\0';
	apilog_record_release(&x);
	apilog_record_init(&x);
	f.src = src;
	assert_true(logs_read(l, &f, NULL) >= 0);
	assert_int_equal(logs_end(l, NULL), 0);
	logs_free(l);
	bytesrc_free(src);
	return said;
}

static int
teardown(void **state)
{
	(void)state;
	apilog_record_release(&x);
	return 0;
}

static void
texts_are_texts(void **state)
{
	(void)state;
	fields = NULL;
	assert_string_equal(read_log("{\"ts\":1,\"user\":\"eve\",\"prompt\":"
	    "\"open it\",\"label\":\"no\",\"status\":200}\n"
	    "{\"ts\":2,\"user\":\"bob\",\"inputs\":[\"only one\"],"
	    "\"status\":\"503 Service\"}\n"
	    "{\"ts\":2,\"user\":\"bob\",\"inputs\":[\"one\",\"two\"]}\n"),
	    "#0 text 'open it' by eve is no status 200"
	    "|#1 text 'only one' by bob status 503"
	    "|#2 text '[\"one\",\"two\"]' by bob");
}

static void
scores_may_have_names(void **state)
{
	(void)state;
	fields = "input=q,scores=p";
	assert_string_equal(read_log("{\"ts\":1,\"q\":\"a\",\"p\":[0.5,1]}\n"
	    "{\"ts\":1,\"q\":\"a\",\"p\":{\"dog\":0.25,\"cat\":0.75}}\n"
	    "{\"ts\":1,\"q\":\"a\",\"p\":{\"dog\":\"x\"}}\n"
	    "{\"ts\":1,\"q\":\"a\",\"p\":0.5}\n"
	    "{\"ts\":1,\"q\":\"a\",\"output\":[{\"label\":\"yes\","
	    "\"score\":0.9},{\"label\":\"no\",\"score\":0.1}]}\n"),
	    "#0 text 'a' 0.5 1|#1 text 'a' dog0.25 cat0.75|#2 text 'a'"
	    "|#3 text 'a' 0.5|#4 text 'a' is yes yes0.9 no0.1");
	fields = NULL;
}

/* Each turn repeats what came before: only what is new is asked. */
static void
of_a_chat_the_last_question_counts(void **state)
{
	(void)state;
	assert_string_equal(read_log("{\"ts\":1,\"user\":\"eve\",\"messages\":"
	    "[{\"role\":\"system\",\"content\":\"be kind\"},"
	    "{\"role\":\"user\",\"content\":\"first\"},"
	    "{\"role\":\"assistant\",\"content\":\"yes\"},"
	    "{\"role\":\"user\",\"content\":\"second\\nline\"}]}\n"),
	    "#0 text 'second\nline' by eve");
}

/* strtod passes over blanks that divide nothing here. */
static void
numbers_behind_odd_blanks_are_a_text(void **state)
{
	char line[4096] = "{\"captureData\":{\"endpointInput\":{"
	    "\"observedContentType\":\"text/csv\",\"mode\":\"INPUT\","
	    "\"encoding\":\"CSV\",\"data\":\"1";
	size_t n = strlen(line);

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		n += (size_t)snprintf(line + n, sizeof(line) - n, ",\\u000b5");
	(void)snprintf(line + n, sizeof(line) - n, "\"}},\"eventMetadata\":{"
	    "\"eventId\":\"e\",\"inferenceTime\":\"2026-05-01T00:00:00Z\"},"
	    "\"eventVersion\":\"0\"}\n");
	assert_non_null(strstr(read_log(line), "#0 text '1,"));
	assert_non_null(strstr(read_log("{\"ts\":1,\"input\":[1,2,3]}\n"),
	    "#0 vector"));
}

static void
numbers_are_vectors_and_of_a_shape_images(void **state)
{
	(void)state;
	assert_string_equal(read_log("{\"ts\":1,\"features\":[1,2.5,-3e2]}\n"
	    "{\"ts\":1,\"instances\":[[[0,255],[7,8]]]}\n"
	    "{\"ts\":1,\"instances\":[[[0.0,0.5],[0.1,1.0]]]}\n"
	    "{\"ts\":1,\"instances\":[[[-1,0.5],[0.1,1.0]]]}\n"
	    "{\"ts\":1,\"input\":[1,null]}\n"),
	    "#0 vector 3 1 -300|#1 image 2x2x1 0 8|#2 image 2x2x1 0 255"
	    "|#3 vector 4 -1 1|#4 text '[1,null]'");
}

static void
base64_of_a_stated_shape_is_an_image(void **state)
{
	(void)state;
	fields = "time=t,caller=who,input=img,shape=dims";
	assert_string_equal(read_log("{\"t\":1,\"who\":\"a\",\"img\":"
	    "\"AQIDBAUGBwgJCgsM\",\"dims\":[2,2,3]}\n"
	    "{\"t\":1,\"who\":\"b\",\"img\":\"AQIDBAUGBwgJCgsM\","
	    "\"dims\":\"1x3x2x2\"}\n"
	    "{\"t\":1,\"who\":\"c\",\"img\":\"AQIDBAUGBwgJCgsM\","
	    "\"dims\":[2,3,3]}\n"
	    "{\"t\":1,\"who\":\"d\",\"img\":\"AAAAAAAAgD8AAAA/AACAPg==\","
	    "\"dims\":[2,2]}\n"),
	    "#0 image 2x2x3 1 12 by a|#1 image 2x2x3 1 12 by b"
	    "|#2 text 'AQIDBAUGBwgJCgsM' by c|#3 image 2x2x1 0 64 by d");
	/* A shape that is said once is every record's. */
	fields = "time=t,input=img,shape=2x2x3";
	assert_string_equal(read_log("{\"t\":1,\"img\":\"AQIDBAUGBwgJCgsM\"}\n"
	    "{\"t\":1,\"img\":[1,2,3,4,5,6,7,8,9,10,11,12]}\n"),
	    "#0 image 2x2x3 1 12|#1 image 2x2x3 1 12");
	fields = "time=t,input=img,shape=dims";
	/* Channels that came first are by the pixel now. */
	assert_string_equal(read_log("{\"t\":1,\"img\":\"AQIDBAUGBwgJCgsM\","
	    "\"dims\":[3,2,2]}\n"), "#0 image 2x2x3 1 12");
	fields = NULL;
}

/* A PPM of one row of two pixels, by its own header. */
static void
a_picture_is_one_by_itself(void **state)
{
	static const char ppm[] = "UDYKIyBhIHBpY3R1cmUgd2l0aCBhIGNvbW1lbnQgdG"
	    "hhdCBpcyBsb25nIGVub3VnaAoyIDIKMjU1CgECAwQFBgcICQoLDA==";
	char line[512];

	(void)state;
	(void)snprintf(line, sizeof(line), "{\"ts\":1,\"input\":\"%s\"}\n"
	    "{\"ts\":1,\"input\":\"data:image/x;base64,%s\"}\n", ppm, ppm);
	assert_string_equal(read_log(line),
	    "#0 image 2x2x3 1 12|#1 image 2x2x3 1 12");
	/* One that is cut is nothing, and no text either. */
	(void)snprintf(line, sizeof(line), "{\"ts\":1,\"input\":\"%.80s\"}\n",
	    ppm);
	assert_string_equal(read_log(line), "#0 none");
	assert_int_equal(x.undecoded, 1);
}

/* 2000 x 1500 x 3 bytes are kept as 1000 x 750, each the mean of four. */
static void
a_large_picture_is_made_smaller(void **state)
{
	static const char head[] = "P6\n2000 1500\n255\n";
	const size_t n = sizeof(head) - 1 + 9000000;
	struct buf b;
	uint8_t *p;

	(void)state;
	p = malloc(n);
	assert_non_null(p);
	memset(p, 9, n);
	memcpy(p, head, sizeof(head) - 1);
	p[sizeof(head) - 1] = 41;	/* red of the first pixel */
	buf_init(&b, 16 * (size_t)MIB);
	buf_puts(&b, "{\"ts\":1,\"input\":\"");
	buf_base64(&b, p, n);
	buf_puts(&b, "\"}\n");
	assert_string_equal(read_log(buf_str(&b)), "#0 image 750x1000x3 17 9");
	assert_int_equal(x.smaller, 1);
	buf_release(&b);
	free(p);
}

static void
what_was_masked_is_a_digest(void **state)
{
	char line[256];

	(void)state;
	(void)snprintf(line, sizeof(line), "{\"ts\":1,\"input\":"
	    "\"[masked sha256:ab%062d]\"}\n{\"ts\":1,\"input\":\"[masked]\"}\n",
	    0);
	assert_string_equal(read_log(line), "#0 none digest ab|#1 none");
	assert_int_equal(x.masked, 2);
	(void)snprintf(line, sizeof(line), "{\"t\":1,\"user\":\"u\","
	    "\"input_sha256\":\"cd%062d\"}\n{\"t\":1,\"user\":\"u\","
	    "\"prompt\":\"q\",\"input_hash\":\"5\"}\n", 0);
	assert_string_equal(read_log(line),
	    "#0 none by u digest cd|#1 text 'q' by u");
	assert_string_equal(read_log("{\"ts\":1,\"user\":\"u\",\"label\":"
	    "\"x\"}\n"), "#0 none by u is x");
}

static void
lines_that_ask_nothing_are_counted(void **state)
{
	(void)state;
	assert_string_equal(read_log("{\"ts\":1,\"message\":\"started\"}\n"
	    "{\"ts\":1,\"output\":\"an answer\"}\n"
	    "{\"ts\":1,\"prompt\":\"q\"}\n"), "#2 text 'q'");
	assert_int_equal(x.events, 1);
	assert_int_equal(x.answers, 1);
}

static void
a_shape_is_an_images_or_none(void **state)
{
	static const struct {
		const char *text;
		bool is;
		unsigned height, width, channels;
	} all[] = {{"28,28", true, 28, 28, 1}, {"1,28,28", true, 28, 28, 1},
	    {"1,1,28,28", true, 28, 28, 1}, {"32,32,3", true, 32, 32, 3},
	    {"1,3,224,200", true, 224, 200, 3}, {"2,3,8,8", false, 0, 0, 0},
	    {"1,4", false, 0, 0, 0}, {"", false, 0, 0, 0},
	    {"99999999999999999999,2", false, 0, 0, 0},
	    {"0,3", false, 0, 0, 0}, {"30000,30000,4", false, 0, 0, 0},
	    {"5,6,7", false, 0, 0, 0}, {"1,1,1,1,1,1,1,1,1", false, 0, 0, 0}};
	struct apilog_shape s;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const bool is = apilog_input_shape(all[i].text,
		    strlen(all[i].text), &s);

		if (is != all[i].is || (is && (s.height != all[i].height ||
		    s.width != all[i].width ||
		    s.channels != all[i].channels)))
			fail_msg("%s: %d %ux%ux%u", all[i].text, is, s.height,
			    s.width, s.channels);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(texts_are_texts),
	    cmocka_unit_test(scores_may_have_names),
	    cmocka_unit_test(of_a_chat_the_last_question_counts),
	    cmocka_unit_test(numbers_behind_odd_blanks_are_a_text),
	    cmocka_unit_test(numbers_are_vectors_and_of_a_shape_images),
	    cmocka_unit_test(base64_of_a_stated_shape_is_an_image),
	    cmocka_unit_test(a_picture_is_one_by_itself),
	    cmocka_unit_test(a_large_picture_is_made_smaller),
	    cmocka_unit_test(what_was_masked_is_a_digest),
	    cmocka_unit_test(lines_that_ask_nothing_are_counted),
	    cmocka_unit_test(a_shape_is_an_images_or_none)};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
