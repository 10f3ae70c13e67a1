#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "collector/plan.h"
#include "collector/settings.h"

static struct plan *
read_plan(const char *text)
{
	struct plan *p = NULL;
	struct err e = ERR_INIT;

	if (plan_parse("p", text, strlen(text), &p, &e) != 0)
		fail_msg("%s", e.msg);
	return p;
}

/* It is refused, with a message that begins with ${place} and has ${part}. */
static void
refused(const char *text, const char *place, const char *part)
{
	struct plan *p = NULL;
	struct err e = ERR_INIT;

	if (plan_parse("p", text, strlen(text), &p, &e) != ERR_FORMAT)
		fail_msg("taken: %s", text);
	assert_null(p);
	if (strncmp(e.msg, place, strlen(place)) != 0 ||
	    strstr(e.msg, part) == NULL)
		fail_msg("'%s' for %s", e.msg, text);
}

static const char whole[] =
    "# a comment\n"
    "case: FRAUD-7\n"
    "exhibit: 'server 12'\n"
    "authority: order 4711\n"
    "purpose: |\n"
    "  which version\n"
    "examiner: Ada Example\n"
    "scope:\n"
    "  exclude: ['*.tmp', \"*/cache/*\"]\n"
    "  follow-mounts: local\n"
    "limits: {rate: 50M, nice: 10, max-bytes: 2T}\n"
    "sources:\n"
    "- {class: weights, path: /srv/models, max-bytes: 5}\n"
    "- {uri: 'mlflow:/srv/mlruns'}\n"
    "- {class: training, path: /d.jsonl, slice: 'rows=0..100'}\n"
    "- class: api-logs\n"
    "  path: /var/log/api\n"
    "  since: 2026-11-24\n"
    "  until: 2026-11-24T10:45:00Z\n"
    "- {process: 4711, options: {environ: values}}\n"
    "- {process-of: /srv/m.safetensors}\n"
    "- {class: other, path-hex: 2fff}\n"
    "- {class: registry, kind: hf, path: /hub}\n"
    "- {uri: 'mlflow:https://tracking:5000'}\n";

static void
a_plan_says_everything(void **state)
{
	struct plan *p = read_plan(whole);
	const struct collect_source *s = p->sources;

	(void)state;
	assert_string_equal(p->case_id, "FRAUD-7");
	assert_string_equal(p->exhibit, "server 12");
	assert_string_equal(p->authority, "order 4711");
	assert_string_equal(p->purpose, "which version\n");
	assert_string_equal(p->examiner, "Ada Example");
	assert_int_equal(p->nexcludes, 2);
	assert_string_equal(p->excludes[1], "*/cache/*");
	assert_true(p->has_mounts);
	assert_int_equal(p->mounts, COLLECT_MOUNTS_LOCAL);
	assert_int_equal(p->rate, 50 * MIB);
	assert_int_equal(p->nice, 10);
	assert_int_equal(p->nsources, 9);
	assert_int_equal(s[0].class, BAG_WEIGHTS);
	assert_int_equal(s[0].max_bytes, 5);
	assert_int_equal(s[1].class, BAG_REGISTRY);
	assert_int_equal(s[1].kind, SOURCE_MLFLOW);
	assert_string_equal(s[1].path, "/srv/mlruns");
	assert_string_equal(s[1].given, "mlflow:/srv/mlruns");
	assert_int_equal(s[1].max_bytes, 2ULL << 40);
	assert_false(s[1].url);
	assert_string_equal(s[2].slice, "rows=0..100");
	assert_true(s[3].window.has_since && s[3].window.has_until);
	assert_int_equal(s[3].window.since_ns, 1795478400 * 1000000000LL);
	assert_int_equal(s[4].kind, SOURCE_PROCESS);
	assert_int_equal(s[4].class, BAG_HOST);
	assert_true(settings_is(&s[4], "environ", "values"));
	assert_true(settings_is(&s[5], "environ", "names"));
	assert_int_equal(s[5].kind, SOURCE_PROCESS_OF);
	assert_string_equal(s[6].path, "/\377");
	assert_int_equal(s[7].kind, SOURCE_HF);
	assert_true(s[8].url);
	assert_int_equal(p->record.n, strlen(whole));
	assert_memory_equal(p->record.bytes, whole, p->record.n);
	plan_free(p);
}

static void
json_is_a_plan_too(void **state)
{
	struct plan *p = read_plan("{\"sources\": [{\"class\": \"weights\", "
	    "\"path\": \"/a\"}], \"limits\": {\"nice\": 3}}");

	(void)state;
	assert_int_equal(p->nsources, 1);
	assert_int_equal(p->nice, 3);
	plan_free(p);
}

static void
what_is_wrong_is_said_with_its_place(void **state)
{
	static const char *const rows[][3] = {
	    {"", "p:1:1: ", "empty"},
	    {"a", "p:1:1: ", "a plan is a map"},
	    {"case: x\n", "p:1:1: ", "has sources"},
	    {"sources: []\n", "p:1:10: ", "1 to 10000"},
	    {"sources: x\n", "p:1:10: ", "list"},
	    {"sources:\n- x\n", "p:2:3: ", "a source is a map"},
	    {"case: x\ncase: y\n", "p:2:1: ", "given twice"},
	    {"cases: x\n", "p:1:1: ", "case, exhibit, authority"},
	    {"case: [x]\n", "p:1:7: ", "a text is wanted"},
	    {"case:\n", "p:1:6: ", "a text is wanted"},
	    {"case: true\n", "p:1:7: ", "quotes"},
	    {"[case]: x\n", "p:1:1: ", "a key is a text"},
	    {"case: &a x\nexhibit: *a\n", "p:2:10: ", "aliases"},
	    {"case: !!str x\n", "p:1:7: ", "tags"},
	    {"case: \"a\\0b\"\n", "p:1:7: ", "NUL"},
	    {"--- {case: x}\n---\ncase: y\n", "p:2:1: ", "one document"},
	    {"case: \"x\n", "p:2:1: ", "end of stream"},
	    {"limits: {rate: 0}\n", "p:1:16: ", "bytes are wanted"},
	    {"limits: {nice: 20}\n", "p:1:16: ", "0 to 19"},
	    {"limits: {nics: 20}\n", "p:1:10: ", "rate, nice, max-bytes"},
	    {"scope: {exclude: a}\n", "p:1:18: ", "list of patterns"},
	    {"scope: {exclude: ['[a']}\n", "p:1:19: ", "cannot match"},
	    {"scope: {follow-mounts: some}\n", "p:1:24: ", "all, local"},
	    {"scope: {one-file-system: yes}\n", "p:1:26: ", "true or false"},
	    {"scope: {one-file-system: true, follow-mounts: all}\n",
		"p:1:47: ", "stands alone"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refused(rows[i][0], rows[i][1], rows[i][2]);
}

static void
sources_that_mean_nothing_are_refused(void **state)
{
	static const char *const rows[][2] = {
	    {"{class: weights}", "exactly one of path"},
	    {"{class: weights, path: /a, uri: 'hf:/b'}", "exactly one of"},
	    {"{path: /a}", "a path has a class"},
	    {"{class: wights, path: /a}", "weights, training, registry"},
	    {"{class: weights, uri: 'hf:/b'}", "class of a uri is registry"},
	    {"{class: weights, process: 1}", "class of a process is host"},
	    {"{class: weights, kind: hf, path: /a}", "path of a registry"},
	    {"{class: registry, kind: pip, path: /a}", "auto:, mlflow:"},
	    {"{uri: 'pip:/a'}", "auto:, mlflow:"},
	    {"{uri: '/a'}", "auto:, mlflow:"},
	    {"{process: 0}", "a number"},
	    {"{process: self}", "a number"},
	    {"{class: other, path-hex: 2F61}", "lower-case hex"},
	    {"{class: other, path-hex: 2f00}", "lower-case hex"},
	    {"{class: weights, path: /a, slice: x}", "training data"},
	    {"{class: weights, path: /a, since: 2026-01-01}", "api-logs"},
	    {"{class: api-logs, path: /a, since: yesterday}", "a time"},
	    {"{class: api-logs, path: /a, since: 2026-01-02, "
		"until: 2026-01-01}", "not later"},
	    {"{class: weights, path: /a, options: {environ: names}}",
		"it has none"},
	    {"{process: 1, options: {environ: all}}", "names values"},
	    {"{process: 1, options: {environ: names, environ: names}}",
		"twice"},
	    {"{process: 1, options: [environ]}", "options are a map"},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(text, sizeof(text), "sources:\n- %s\n",
		    rows[i][0]);
		refused(text, "p:2:", rows[i][1]);
	}
}

static void
limits_hold(void **state)
{
	char *text = malloc(LIMIT_PLAN + 2);
	struct err e = ERR_INIT;
	struct plan *p = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, '[', 20);
	text[20] = '\0';
	refused(text, "p:1:9: ", "deeper than 8");
	memset(text, ' ', LIMIT_PLAN + 1);
	assert_int_equal(plan_parse("p", text, LIMIT_PLAN + 1, &p, &e),
	    ERR_LIMIT);
	memset(text, 'a', LIMIT_PLAN_TEXT + 1);
	text[LIMIT_PLAN_TEXT + 1] = '\0';
	refused(text, "p:1:1: ", "longer than");
	text[0] = '[';
	for (size_t i = 1; i < LIMIT_PLAN - 1; i += 2)
		memcpy(text + i, "a,", 2);
	text[LIMIT_PLAN - 1] = ']';
	text[LIMIT_PLAN] = '\0';
	refused(text, "p:1:1: ", "more than 200000");
	free(text);
}

static void
a_plan_that_is_cut_anywhere_is_refused_or_shorter(void **state)
{
	struct plan *p;
	struct err e;
	int r;

	(void)state;
	for (size_t n = 0; n < strlen(whole); n++) {
		p = NULL;
		e = (struct err)ERR_INIT;
		r = plan_parse("p", whole, n, &p, &e);
		if (r == 0)
			assert_true(p->nsources >= 1 && p->nsources <= 9);
		else
			assert_true(r == ERR_FORMAT &&
			    strncmp(e.msg, "p:", 2) == 0);
		plan_free(p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_plan_says_everything),
	    cmocka_unit_test(json_is_a_plan_too),
	    cmocka_unit_test(what_is_wrong_is_said_with_its_place),
	    cmocka_unit_test(sources_that_mean_nothing_are_refused),
	    cmocka_unit_test(limits_hold),
	    cmocka_unit_test(
		a_plan_that_is_cut_anywhere_is_refused_or_shorter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
