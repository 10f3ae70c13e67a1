#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_write.h"
#include "base/text.h"
#include "collector/run.h"

/*
 * acquisition.json: what was asked for, by whom it was allowed, and within
 * which bounds.
 */
void
facts_said(struct json_write *w, const char *key, const char *s)
{
	if (s != NULL)
		json_ktext(w, key, s, strlen(s));
	else
		json_knull(w, key);
}

static void
put_plan(struct json_write *w, const struct collect_plan *p)
{
	json_key(w, "plan");
	if (p == NULL) {
		json_null(w);
		return;
	}
	json_begin_object(w);
	facts_said(w, "path", p->path);
	json_kstr(w, "member", BAG_PLAN);
	json_ku64(w, "size", p->n);
	json_khex(w, "sha256", p->sha256, 32);
	json_key(w, "replaced_by_flags");
	json_begin_array(w);
	for (size_t i = 0; i < p->noverridden; i++)
		json_str(w, p->overridden[i]);
	json_end_array(w);
	json_key(w, "added_by_flags");
	json_begin_array(w);
	for (size_t i = 0; i < p->nadded; i++)
		json_str(w, p->added[i]);
	json_end_array(w);
	json_end_object(w);
}

static const char *
mounts_name(enum collect_mounts m)
{
	switch (m) {
	case COLLECT_MOUNTS_LOCAL:
		return "local";
	case COLLECT_MOUNTS_NONE:
		return "none";
	case COLLECT_MOUNTS_ALL:
	default:
		return "all";
	}
}

static void
put_limit(struct json_write *w, const char *key, uint64_t v)
{
	if (v > 0)
		json_ku64(w, key, v);
	else
		json_knull(w, key);
}

void
facts_scope(struct json_write *w, const struct collect *c)
{
	const struct collect_options *o = c->o;

	facts_said(w, "exhibit", o->exhibit);
	facts_said(w, "authority", o->authority);
	facts_said(w, "witness", o->witness);
	facts_said(w, "write_blocker", o->write_blocker);
	put_plan(w, o->plan);
	json_key(w, "scope");
	json_begin_object(w);
	json_key(w, "exclude");
	json_begin_array(w);
	for (size_t i = 0; i < o->nexcludes; i++)
		json_text(w, o->excludes[i], strlen(o->excludes[i]),
		    TEXT_PLAIN);
	json_end_array(w);
	json_kstr(w, "follow_mounts", mounts_name(o->mounts));
	json_end_object(w);
	json_key(w, "logs");
	json_begin_object(w);
	if (o->zone_given)
		json_ki64(w, "zone_seconds", o->zone_seconds);
	else
		json_knull(w, "zone_seconds");
	json_kstr(w, "content", o->mask_content ? "masked" : "kept");
	json_end_object(w);
	json_key(w, "limits");
	json_begin_object(w);
	put_limit(w, "rate", o->limit_rate);
	throttle_put_priority(w);
	json_end_object(w);
}

static void
put_time(struct json_write *w, const char *key, bool known, int64_t ns)
{
	char text[CLOCK_TEXT];

	json_kstr(w, key, known ? clock_rfc3339(text, ns, 9) : NULL);
}

void
facts_source(struct json_write *w, const struct collect_source *s)
{
	const char *given = s->given != NULL ? s->given : s->path;

	json_kstr(w, "class", bag_class_name(s->class));
	json_kstr(w, "kind", source_system_name(s->kind));
	json_ktext(w, "given", given, strlen(given));
	json_khex(w, "given_hex", given, strlen(given));
	facts_said(w, "slice", s->slice);
	put_time(w, "since", s->window.has_since, s->window.since_ns);
	put_time(w, "until", s->window.has_until, s->window.until_ns);
	put_limit(w, "max_bytes", s->max_bytes);
	json_key(w, "options");
	json_begin_object(w);
	for (size_t i = 0; i < s->nsettings; i++)
		json_kstr(w, s->settings[i].name, s->settings[i].value);
	json_end_object(w);
}
