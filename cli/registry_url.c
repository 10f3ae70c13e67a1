#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "analyzer/intake/page_worker.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/fetch_http.h"
#include "cli/registry_url.h"
#include "collector/page.h"
#include "collector/page_seen.h"
#include "collector/run.h"
#include "custody/bag.h"

#define API "/api/2.0/mlflow/"
#define HEADERS_MAX 32
#define BATCH 100		/* experiments of one question about runs */
#define ID_MAX 128		/* MLflow's own have up to 32 digits */

struct registry_url {
	struct fetch_options o;
	struct fetch_http *fetch;
	struct page_worker reader;
	struct fetch_answer answer;
	struct buf header_text, experiments;
	const char *header[HEADERS_MAX];
	uint64_t bytes;		/* of all answers */
};

/* What is asked; ${of} experiments: once for each batch of them. */
struct endpoint {
	const char *name;
	bool post, of_experiments;
	const char *size;	/* "max_results" that the interface allows */
	const char *more;	/* further members of a POST */
	bool optional;		/* not every version has it */
};
static const struct endpoint endpoints[] = {
    {"experiments/search", true, false, "1000", "\"view_type\":\"ALL\"",
	false},
    {"registered-models/search", false, false, "100", NULL, false},
    {"model-versions/search", false, false, "1000", NULL, false},
    {"runs/search", true, true, "1000", "\"run_view_type\":\"ALL\"", false},
    {"logged-models/search", true, true, "50", NULL, true}};
#define ENDPOINTS (sizeof(endpoints) / sizeof(endpoints[0]))

/* --- begin and end -------------------------------------------------------- */

/* Lines "Name: value"; their values are secrets and are recorded nowhere. */
static int
read_headers(struct registry_url *u, const char *path, struct err *e)
{
	char *line, *next;
	int r;

	if ((r = fsio_read_file(AT_FDCWD, path, 64 * KIB, &u->header_text,
	    e)) < 0)
		return r;
	buf_putc(&u->header_text, '\0');
	for (line = (char *)u->header_text.p; line != NULL; line = next) {
		if ((next = strchr(line, '\n')) != NULL)
			*next++ = '\0';
		if (*line == '\0')
			continue;
		if (strchr(line, ':') == NULL || u->o.headers == HEADERS_MAX)
			return err_set(e, ERR_ARG, "'%s' has lines of header, "
			    "at most %d: 'Name: value'", path, HEADERS_MAX);
		u->header[u->o.headers++] = line;
	}
	u->o.header = u->header;
	return 0;
}

int
registry_url_start(const struct registry_url_options *o,
    const struct collect_source *s, size_t n, struct registry_url **ret,
    struct err *e)
{
	struct registry_url *u;
	bool any = false;
	int r;

	*ret = NULL;
	for (size_t i = 0; i < n; i++)
		any |= s[i].url;
	if (!any)
		return 0;
	if ((u = calloc(1, sizeof(*u))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	fetch_http_init(&u->answer);
	buf_init(&u->header_text, 64 * KIB + 1);
	buf_init(&u->experiments, 16 * MIB);
	u->o.ca_file = o->ca_file;
	/* Who reads pages begins first: it shall not know the headers. */
	if ((r = page_worker_start(&u->reader, e)) < 0 ||
	    (o->header_file != NULL &&
	    (r = read_headers(u, o->header_file, e)) < 0) ||
	    (r = fetch_http_start(&u->o, &u->fetch, e)) < 0) {
		registry_url_stop(u);
		return r;
	}
	*ret = u;
	return 0;
}

void
registry_url_stop(struct registry_url *u)
{
	if (u == NULL)
		return;
	fetch_http_stop(u->fetch);
	page_worker_stop(&u->reader);
	fetch_http_release(&u->answer);
	if (u->header_text.p != NULL)
		explicit_bzero(u->header_text.p, u->header_text.len);
	buf_release(&u->header_text);
	buf_release(&u->experiments);
	free(u);
}

/* --- one walk ------------------------------------------------------------- */

struct walk {
	struct registry_url *u;
	struct collect *c;
	const struct collect_source *s;
	unsigned number;	/* 1 or 2 */
	char place[300];	/* "/HOST:PORT/PATH/mlflow-rest" */
	struct buf seen;	/* page_seen.h */
};

/* Percent-encoded: tokens are base64 and may hold anything. */
static void
put_query(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++)
		if ((*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z') ||
		    (*s >= '0' && *s <= '9') || strchr("-_.~", *s) != NULL)
			buf_putc(b, *s);
		else
			buf_printf(b, "%%%02X", (unsigned char)*s);
}

/* The question about one page: its URL and, for a POST, its body. */
static void
put_question(const struct walk *w, const struct endpoint *p,
    const char *batch, const char *token, struct buf *url, struct buf *body)
{
	size_t n = strlen(w->s->path);

	while (n > 0 && w->s->path[n - 1] == '/')
		n--;
	buf_put(url, w->s->path, n);
	buf_puts(url, API);
	buf_puts(url, p->name);
	if (!p->post) {
		buf_printf(url, "?max_results=%s", p->size);
		if (*token != '\0') {
			buf_puts(url, "&page_token=");
			put_query(url, token);
		}
		return;
	}
	buf_printf(body, "{\"max_results\":%s", p->size);
	if (p->more != NULL)
		buf_printf(body, ",%s", p->more);
	if (batch != NULL)
		buf_printf(body, ",\"experiment_ids\":[%s]", batch);
	if (*token != '\0') {
		struct json_write j;
		struct buf text;

		buf_init(&text, 64 * KIB);
		json_init(&j, &text, JSON_COMPACT);
		json_begin_array(&j);
		json_text(&j, token, strlen(token), TEXT_PLAIN);
		json_end_array(&j);
		/* The array's brackets are left away. */
		buf_puts(body, ",\"page_token\":");
		if (text.len > 2)
			buf_put(body, text.p + 1, text.len - 2);
		buf_release(&text);
	}
	buf_putc(body, '}');
}

static int
store(struct walk *w, const struct endpoint *p, unsigned page,
    const struct page *what, const char *suffix, const struct buf *bytes,
    uint8_t sha256[32])
{
	struct page one = *what;
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/walk-%u/%s/%04u.%s", w->place,
	    w->number, p->name, page, suffix);
	one.path = path;
	one.p = bytes->p;
	one.n = bytes->len;
	return page_take(w->c, &one, sha256);
}

static int
store_answer(struct walk *w, const struct endpoint *p, unsigned page,
    const struct page *what)
{
	const struct fetch_answer *a = &w->u->answer;
	struct page_seen seen = {.endpoint = (uint32_t)(p - endpoints),
	    .number = page};
	uint8_t sha[32];
	int r;

	if ((r = store(w, p, page, what, "json", &a->body, seen.sha256)) < 0)
		return r;
	buf_put(&w->seen, &seen, sizeof(seen));
	if ((r = store(w, p, page, what, "headers", &a->headers, sha)) >= 0 &&
	    a->chain.len > 0)
		r = store(w, p, page, what, "pem", &a->chain, sha);
	return r < 0 ? r : 0;
}

/* What is not answered is an error of the collection, and the rest goes on. */
static int
told(struct walk *w, const char *what, const char *url)
{
	return record_error(w->c, url, what, 0);
}

/* What the page says comes next, read by the fenced process. */
static int
ask_reader(struct walk *w, struct buf *token, const char *url)
{
	const struct buf *body = &w->u->answer.body;
	struct err e = ERR_INIT;
	char why[300];
	struct buf ids;
	int fd, r;

	if ((fd = memfd_create("page", MFD_CLOEXEC)) < 0)
		return err_sys(w->c->e, errno, "cannot hold a page");
	buf_init(&ids, 16 * MIB);
	buf_clear(token);
	if ((r = fsio_write_all(fd, body->p, body->len, w->c->e)) >= 0 &&
	    page_worker_ask(&w->u->reader, fd, token, &ids, &e) < 0) {
		(void)snprintf(why, sizeof(why), "%s", e.msg);
		buf_clear(token);
		r = told(w, why, url);
	}
	if (r >= 0 && w->number == 1 && ids.len > 0)
		buf_put(&w->u->experiments, ids.p, ids.len);
	if (r >= 0 && (buf_failed(&ids) < 0 ||
	    (w->number == 1 && buf_failed(&w->u->experiments) < 0)))
		r = told(w, "more experiments than are asked about", url);
	buf_release(&ids);
	(void)close(fd);
	return r;
}

/* 1: there is another page; its token is in ${token}. */
static int
one_page(struct walk *w, const struct endpoint *p, unsigned page,
    const char *batch, struct buf *token)
{
	struct page what = {.class = w->s->class,
	    .method = p->post ? "POST" : "GET"};
	struct fetch_answer *a = &w->u->answer;
	struct err e = ERR_INIT;
	struct buf url, body;
	char why[320];
	int r;

	buf_init(&url, 64 * KIB);
	buf_init(&body, 128 * KIB);
	put_question(w, p, batch, buf_str(token), &url, &body);
	what.url = buf_str(&url);
	what.request = p->post ? buf_str(&body) : NULL;
	what.asked_ns = clock_real_ns();
	if (buf_failed(&url) < 0 || buf_failed(&body) < 0 ||
	    (r = fetch_http_ask(w->u->fetch, what.url, what.request, a, &e)) <
	    0) {
		(void)snprintf(why, sizeof(why), "no answer: %s", e.msg);
		r = told(w, why, what.url);
		goto out;
	}
	what.came_ns = clock_real_ns();
	what.peer = a->peer;
	what.status = a->status;
	w->u->bytes += a->body.len;
	if ((r = store_answer(w, p, page, &what)) < 0)
		goto out;
	if (a->status == 404 && p->optional) {
		r = record_log(w->c, "not offered by this version", what.url);
	} else if (a->status != 200) {
		(void)snprintf(why, sizeof(why), "answered with status %ld",
		    a->status);
		r = told(w, why, what.url);
	} else if ((r = ask_reader(w, token, what.url)) >= 0) {
		r = token->len > 0 ? 1 : 0;
	}
out:
	buf_release(&url);
	buf_release(&body);
	return r;
}

static const char more_pages[] = "more pages than are fetched";

/* All pages of a question; *page counts on through the batches. */
static int
all_pages(struct walk *w, const struct endpoint *p, const char *batch,
    unsigned *page)
{
	struct buf token;
	int r;

	buf_init(&token, 64 * KIB);
	do
		r = one_page(w, p, ++*page, batch, &token);
	while (r > 0 && *page < LIMIT_FETCH_PAGES &&
	    w->u->bytes < LIMIT_FETCH_TOTAL);
	if (r > 0)
		r = told(w, more_pages, w->s->path);
	buf_release(&token);
	return r;
}

/* The next ids, as elements of our question; how many were left out. */
static unsigned
next_batch(const struct buf *ids, size_t *at, struct buf *batch)
{
	unsigned odd = 0;

	buf_clear(batch);
	for (unsigned n = 0; *at < ids->len && n < BATCH; n++) {
		const char *id = (const char *)ids->p + *at;
		size_t len = strlen(id);

		*at += len + 1;
		if (len == 0 || len > ID_MAX ||
		    len != strspn(id, "0123456789abcdefABCDEF-_"))
			odd++;
		else
			buf_printf(batch, "%s\"%s\"",
			    batch->len > 0 ? "," : "", id);
	}
	return odd;
}

static int
batches(struct walk *w, const struct endpoint *p)
{
	const struct buf *ids = &w->u->experiments;
	unsigned page = 0, odd = 0;
	struct buf batch;
	char what[100];
	size_t at = 0;
	int r = 0;

	buf_init(&batch, BATCH * (ID_MAX + 3));
	while (at < ids->len && r >= 0) {
		if (page >= LIMIT_FETCH_PAGES ||
		    w->u->bytes >= LIMIT_FETCH_TOTAL) {
			r = told(w, more_pages, w->s->path);
			break;
		}
		odd += next_batch(ids, &at, &batch);
		if (batch.len > 0)
			r = all_pages(w, p, buf_str(&batch), &page);
	}
	buf_release(&batch);
	if (r < 0 || odd == 0)
		return r;
	(void)snprintf(what, sizeof(what), "%u experiments have an id that is "
	    "not one of MLflow's: not asked about", odd);
	return told(w, what, w->s->path);
}

static int
walk_all(struct walk *w)
{
	unsigned page;
	int r = 0;

	for (size_t i = 0; i < ENDPOINTS && r >= 0; i++) {
		page = 0;
		r = endpoints[i].of_experiments ? batches(w, &endpoints[i]) :
		    all_pages(w, &endpoints[i], NULL, &page);
	}
	return r;
}

/*
 * "https://host:5000/base/" to "/host:5000/base/mlflow-rest"; no user, no
 * query.
 */
static bool
place_of(const char *url, char *dst, size_t cap)
{
	const char *rest = strstr(url, "://");
	size_t n = 0;

	if (rest == NULL || !source_url_ok(url))
		return false;
	for (rest += 2; *rest != '\0' && n + 1 < cap; rest++)
		if (*rest != '/' || (rest[1] != '/' && rest[1] != '\0'))
			dst[n++] = *rest;
	return *rest == '\0' && (size_t)snprintf(dst + n, cap - n,
	    "/mlflow-rest") < cap - n;
}

/* The source before this one that has its place, or NULL. */
static const struct collect_source *
same_place(const struct collect *c, const struct collect_source *s,
    const char *place)
{
	char other[300];

	for (size_t i = 0; i < c->number && i < c->o->nsources; i++)
		if (c->o->sources[i].url && &c->o->sources[i] != s &&
		    place_of(c->o->sources[i].path, other, sizeof(other)) &&
		    strcmp(other, place) == 0)
			return &c->o->sources[i];
	return NULL;
}

static int
compare(struct collect *c, const struct collect_source *s,
    const struct buf *first, const struct buf *second)
{
	uint64_t other, alone;
	char what[160];

	page_seen_compare(first, second, &other, &alone);
	if (other + alone == 0)
		return record_log(c, "both walks gave the same pages",
		    s->path);
	c->totals.changed += other + alone;
	(void)snprintf(what, sizeof(what), "%llu pages are not the same in "
	    "both walks, %llu came in one of them alone",
	    (unsigned long long)other, (unsigned long long)alone);
	return record_log(c, what, s->path);
}

static int
walk_twice(struct walk w[2])
{
	const struct collect_source *s = w[0].s;
	struct collect *c = w[0].c;
	int r = 0;

	buf_clear(&w[0].u->experiments);
	for (unsigned i = 0; i < 2; i++)
		buf_init(&w[i].seen, sizeof(struct page_seen) * 2 *
		    LIMIT_FETCH_PAGES * ENDPOINTS);
	for (unsigned i = 0; i < 2 && r >= 0; i++)
		if ((r = record_log(c, i == 0 ? "first walk" : "second walk",
		    s->path)) >= 0)
			r = walk_all(&w[i]);
	if (r >= 0)
		r = compare(c, s, &w[0].seen, &w[1].seen);
	buf_release(&w[0].seen);
	buf_release(&w[1].seen);
	return r;
}

int
registry_url_take(struct collect *c, const struct collect_source *s)
{
	struct registry_url *u = c->o->url_ctx;
	struct walk w[2] = {{.u = u, .c = c, .s = s, .number = 1},
	    {.u = u, .c = c, .s = s, .number = 2}};

	if (u == NULL || s->kind != SOURCE_MLFLOW)
		return record_error(c, s->path,
		    "only MLflow is taken by its URL", 0);
	if (!place_of(s->path, w[0].place, sizeof(w[0].place)))
		return record_error(c, s->path, "is no URL of a server: "
		    "http://HOST[:PORT][/PATH]", 0);
	if (same_place(c, s, w[0].place) != NULL)
		return record_error(c, s->path, "is left out: a source before "
		    "it has the same host, port and path", 0);
	memcpy(w[1].place, w[0].place, sizeof(w[1].place));
	return walk_twice(w);
}
