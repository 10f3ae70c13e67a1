#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "formats/logs/shape.h"

/*
 * Times of a record, and what has to be assumed for them.
 *
 * A log without years: its last record is not later than the file's mtime,
 * and going back over half a year between two lines is a New Year.  So the
 * rest of the file is read once more, for its months alone, when the first
 * such line comes; the year of the first line is that of the last less the
 * New Years between them.  A gap of a whole year is not seen, and no log can
 * tell it.
 */
#define HOUR INT64_C(3600000000000)
#define SLACK (26 * HOUR)	/* a zone that was not said, and a slow clock */

static bool
yearless(const struct lines_record *rec, struct when *w)
{
	struct cursor line;

	if (rec->p == NULL)
		return false;
	cursor_init(&line, rec->p, rec->n, 0);
	return vllm_when(line, w) || tritonlog_when(line, w);
}

/*
 * New Years from one line to the next.  A line of the last of December behind
 * one of the first of January was written late: several threads write.
 */
static int
new_years(unsigned month, unsigned day, const struct when *now)
{
	if (month == 1 && day == 1 && now->month == 12 && now->day == 31)
		return -1;
	return now->month + 6 < month ? 1 : 0;
}

/* The year of the line that c->raw is, from the lines that follow. */
static unsigned
seek_year(struct logs_ctx *c)
{
	struct when w, last = {0};
	struct lines_record rec;
	struct lines ahead;
	int crossed = 0, year;
	int64_t ns;

	if (c->p->year > 0)
		return c->p->year;
	if (c->f->mtime_ns <= 0)
		return 0;
	lines_init(&ahead, c->lines.src, c->raw_off, c->p->window, c->keep);
	while (lines_next(&ahead, &rec, c->e) == 1)
		if (yearless(&rec, &w)) {
			crossed += new_years(last.month, last.day, &w);
			last = w;
		}
	year = (int)when_year(c->f->mtime_ns);
	if (last.month > 0 && when_ns(&last, (unsigned)year, c->p->zone_min,
	    &ns) &&
	    ns - SLACK > c->f->mtime_ns)
		year--;
	return year > crossed ? (unsigned)(year - crossed) : 0;
}

static unsigned
find_year(struct logs_ctx *c, const struct when *w)
{
	if (!c->year_sought) {
		c->year_sought = true;
		c->year = seek_year(c);
		tell_once(c, c->year > 0 ? LOGS_PROBLEM_YEAR_ASSUMED :
		    LOGS_PROBLEM_NO_YEAR, c->p->year > 0 ?
		    "by the option" : "by the file's mtime");
	} else if (c->year > 0) {
		c->year += (unsigned)new_years(c->month, c->day, w);
	}
	c->month = w->month;
	c->day = w->day;
	return c->year;
}

static void
say_zone(struct logs_ctx *c, int zone)
{
	char *text = arena_alloc(c->scratch, 8);
	const unsigned z = (unsigned)(zone < 0 ? -zone : zone);

	if (text == NULL)
		return;
	(void)snprintf(text, 8, "%c%02u:%02u", zone < 0 ? '-' : '+',
	    z / 60 % 24, z % 60);
	row_str(c, LOGS_TZ, text);
	tell_once(c, LOGS_PROBLEM_ZONE_ASSUMED, c->p->zone_given ?
	    "by the option" : "taken for UTC");
}

static void
note_time(struct logs_ctx *c, int64_t ns)
{
	if (c->has_last && c->last_ns - ns > HOUR)
		tell(c, LOGS_PROBLEM_BACKWARDS, c->raw_off, c->raw_n,
		    NULL);
	c->has_last = true;
	c->last_ns = ns;
}

bool
row_when(struct logs_ctx *c, const struct when *w, const char *src,
    const char *quality)
{
	const bool dated = w->epoch || w->has_year;
	unsigned year;
	int64_t ns;

	if (c->has_outer && (!dated || (!w->epoch && !w->has_zone))) {
		row_untimed(c);
		return true;
	}
	year = dated ? w->year : find_year(c, w);
	if (!when_ns(w, year, c->p->zone_min, &ns)) {
		row_untimed(c);
		return false;
	}
	if (!dated)
		fields_u64(&c->v[LOGS_YEAR], year);
	if (!w->epoch && !w->has_zone)
		say_zone(c, c->p->zone_min);
	fields_i64(&c->v[LOGS_TS], ns);
	row_str(c, LOGS_TS_SRC, src);
	row_str(c, LOGS_TS_QUALITY, quality);
	note_time(c, ns);
	return true;
}

void
row_end(struct logs_ctx *c, const struct when *w)
{
	int64_t ns;

	if ((w->epoch || w->has_year) &&
	    when_ns(w, 0, c->p->zone_min, &ns))
		fields_i64(&c->v[LOGS_END], ns);
}

static bool
read_time(struct logs_ctx *c, const char *path, struct when *w)
{
	const uint32_t i = jdoc_path(c->d, c->obj, path);
	const uint8_t *p;
	size_t n;

	if (!jdoc_scalar(c->d, i, c->scratch, &p, &n))
		return false;
	if (when_all(p, n, w))
		return true;
	if (n > 0)
		tell(c, LOGS_PROBLEM_BAD_TIME, c->raw_off, c->raw_n,
		    path);
	return false;
}

bool
row_time(struct logs_ctx *c, const char *path)
{
	struct when w;

	return read_time(c, path, &w) && row_when(c, &w, path, "event");
}

bool
row_end_time(struct logs_ctx *c, const char *path)
{
	struct when w;

	if (!read_time(c, path, &w))
		return false;
	row_end(c, &w);
	return c->v[LOGS_END].set;
}

bool
row_ns(struct logs_ctx *c, enum logs_column col, const char *path)
{
	uint64_t ns;

	if (!jdoc_u64(c->d, jdoc_path(c->d, c->obj, path), &ns) ||
	    ns > INT64_MAX || ns == 0)
		return false;
	fields_i64(&c->v[col], (int64_t)ns);
	if (col == LOGS_TS) {
		row_str(c, LOGS_TS_SRC, path);
		row_str(c, LOGS_TS_QUALITY, "event");
		note_time(c, (int64_t)ns);
	}
	return true;
}

void
row_untimed(struct logs_ctx *c)
{
	if (c->has_outer) {
		fields_i64(&c->v[LOGS_TS], c->outer_ns);
		row_str(c, LOGS_TS_SRC, c->outer_src);
		row_str(c, LOGS_TS_QUALITY, "recorded");
		note_time(c, c->outer_ns);
		return;
	}
	row_str(c, LOGS_TS_QUALITY, "file-order");
	if (!c->has_last)
		return;
	fields_i64(&c->v[LOGS_TS], c->last_ns);
	row_str(c, LOGS_TS_SRC, "preceding line");
}

void
row_mtime(struct logs_ctx *c)
{
	row_str(c, LOGS_TS_QUALITY, "object-mtime");
	tell_once(c, LOGS_PROBLEM_NO_TIME, NULL);
	if (c->f->mtime_ns <= 0)
		return;
	fields_i64(&c->v[LOGS_TS], c->f->mtime_ns);
	row_str(c, LOGS_TS_SRC, "mtime");
}
