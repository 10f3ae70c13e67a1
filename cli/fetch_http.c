#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/limits.h"
#include "base/proc.h"
#include "base/text.h"
#include "base/version.h"
#include "cli/fetch_http.h"

/* Both ways in frames; a question is one, an answer ends with END. */
enum { FRAME_ASK = 1, FRAME_HEADERS, FRAME_BODY, FRAME_CHAIN, FRAME_END };
enum { ASK_URL = 1, ASK_JSON };
enum { PART_BYTES = 1 };
enum { END_STATUS = 1, END_PEER, END_ERROR };
#define PART (64 * KIB)

struct fetch_http {
	int ask[2];		/* the parent writes, the helper reads */
	struct proc p;
	const struct fetch_options *o;
};

/* --- the helper ----------------------------------------------------------- */

struct talk {
	int out;
	CURL *curl;
	uint64_t bytes;		/* of this answer */
	bool failed, over;
};

static int
send_part(struct talk *t, uint8_t type, const void *p, size_t n)
{
	const char *s = p;
	size_t part;
	struct buf b;
	int r = 0;

	buf_init(&b, LIMIT_FRAME + FRAME_HEADER);
	for (; n > 0 && r >= 0; s += part, n -= part) {
		part = n < PART ? n : PART;
		buf_clear(&b);
		frame_begin(&b, type);
		frame_put(&b, PART_BYTES, s, part);
		r = frame_send(&b, t->out, NULL);
	}
	buf_release(&b);
	t->failed |= r < 0;
	return r;
}

static size_t
take(struct talk *t, uint8_t type, const void *p, size_t n)
{
	if (n > LIMIT_FETCH - t->bytes) {
		t->over = true;
		return 0;
	}
	t->bytes += n;
	return send_part(t, type, p, n) < 0 ? 0 : n;
}

static size_t
take_header(char *p, size_t size, size_t n, void *ctx)
{
	return take(ctx, FRAME_HEADERS, p, size * n);
}

static size_t
take_body(char *p, size_t size, size_t n, void *ctx)
{
	return take(ctx, FRAME_BODY, p, size * n);
}

static void
send_chain(struct talk *t)
{
	struct curl_certinfo *info = NULL;

	if (curl_easy_getinfo(t->curl, CURLINFO_CERTINFO, &info) != CURLE_OK ||
	    info == NULL)
		return;
	for (int i = 0; i < info->num_of_certs; i++)
		for (const struct curl_slist *l = info->certinfo[i]; l != NULL;
		    l = l->next)
			if (strncmp(l->data, "Cert:", 5) == 0)
				(void)send_part(t, FRAME_CHAIN, l->data + 5,
				    strlen(l->data + 5));
}

static void
send_end(struct talk *t, CURLcode rc, const char *why)
{
	const char *peer = NULL;
	long status = 0;
	struct buf b;

	(void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(t->curl, CURLINFO_PRIMARY_IP, &peer);
	buf_init(&b, LIMIT_FRAME + FRAME_HEADER);
	frame_begin(&b, FRAME_END);
	frame_put_u32(&b, END_STATUS, status > 0 ? (uint32_t)status : 0);
	frame_put_str(&b, END_PEER, peer != NULL ? peer : "");
	if (t->over)
		frame_put_str(&b, END_ERROR, "the answer is too long");
	else if (rc != CURLE_OK)
		frame_put_str(&b, END_ERROR, why[0] != '\0' ? why :
		    curl_easy_strerror(rc));
	t->failed |= frame_send(&b, t->out, NULL) < 0;
	buf_release(&b);
}

static struct curl_slist *
header_list(const struct fetch_options *o, bool json)
{
	struct curl_slist *l = curl_slist_append(NULL,
	    "Accept: application/json");

	if (json)
		l = curl_slist_append(l, "Content-Type: application/json");
	for (unsigned i = 0; i < o->headers; i++)
		l = curl_slist_append(l, o->header[i]);
	return l;
}

static void
set_options(struct talk *t, const struct fetch_options *o, const char *url,
    const char *json, char why[CURL_ERROR_SIZE])
{
	CURL *c = t->curl;

	curl_easy_reset(c);
	(void)curl_easy_setopt(c, CURLOPT_URL, url);
	(void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(c, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 30L);
	(void)curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)LIMIT_FETCH_SECONDS);
	(void)curl_easy_setopt(c, CURLOPT_USERAGENT,
	    "exhibit/" EXHIBIT_VERSION);
	(void)curl_easy_setopt(c, CURLOPT_CERTINFO, 1L);
	(void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
	(void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	(void)curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	if (o->ca_file != NULL) {
		(void)curl_easy_setopt(c, CURLOPT_CAINFO, o->ca_file);
		(void)curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	}
	if (json != NULL)
		(void)curl_easy_setopt(c, CURLOPT_COPYPOSTFIELDS, json);
}

static void
answer(struct talk *t, const struct fetch_options *o, const char *url,
    const char *json)
{
	char why[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers = header_list(o, json != NULL);
	CURLcode rc;

	t->bytes = 0;
	t->over = false;
	set_options(t, o, url, json, why);
	(void)curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, headers);
	rc = curl_easy_perform(t->curl);
	if (rc == CURLE_OK)
		send_chain(t);
	send_end(t, rc, why);
	curl_slist_free_all(headers);
}

static bool
read_exact(int fd, void *dst, size_t n)
{
	uint8_t *p = dst;
	ssize_t got;

	for (; n > 0; p += got, n -= (size_t)got)
		if ((got = read(fd, p, n)) <= 0) {
			if (got == 0 || errno != EINTR)
				return false;
			got = 0;
		}
	return true;
}

/* One question; false at the end of them. */
static bool
next_question(int fd, char **url, char **json)
{
	static uint8_t body[LIMIT_FRAME];
	uint8_t head[FRAME_HEADER];
	struct frame f;
	uint32_t n;
	bool ok;

	*url = *json = NULL;
	if (!read_exact(fd, head, sizeof(head)) ||
	    (n = frame_size(head, &ok), !ok) ||
	    !read_exact(fd, body, n) ||
	    !frame_parse(&f, head[4], body, n) || f.type != FRAME_ASK)
		return false;
	*url = strndup((const char *)f.field[ASK_URL].buf,
	    f.field[ASK_URL].len);
	if (frame_has(&f, ASK_JSON))
		*json = strndup((const char *)f.field[ASK_JSON].buf,
		    f.field[ASK_JSON].len);
	return *url != NULL;
}

static int
helper_main(void *arg, int out_fd)
{
	const struct fetch_http *f = arg;
	struct talk t = {.out = out_fd};
	char *url, *json;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    (t.curl = curl_easy_init()) == NULL)
		return 1;
	while (!t.failed && next_question(f->ask[0], &url, &json)) {
		answer(&t, f->o, url, json);
		free(url);
		free(json);
	}
	curl_easy_cleanup(t.curl);
	return 0;
}

/* --- the parent ----------------------------------------------------------- */

int
fetch_http_start(const struct fetch_options *o, struct fetch_http **ret,
    struct err *e)
{
	struct fetch_http *f = calloc(1, sizeof(*f));
	int r;

	if (f == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	f->o = o;
	/* A helper that died is an error of a write, not our end. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (pipe2(f->ask, O_CLOEXEC) < 0) {
		free(f);
		return err_sys(e, errno, "cannot make a pipe");
	}
	r = proc_spawn(&f->p, helper_main, f, &f->ask[0], 1, 0, e);
	(void)close(f->ask[0]);
	if (r < 0) {
		(void)close(f->ask[1]);
		free(f);
		return r;
	}
	*ret = f;
	return 0;
}

void
fetch_http_stop(struct fetch_http *f)
{
	int status;

	if (f == NULL)
		return;
	(void)close(f->ask[1]);
	proc_kill(&f->p);
	(void)proc_wait(&f->p, &status);
	free(f);
}

void
fetch_http_init(struct fetch_answer *a)
{
	memset(a, 0, sizeof(*a));
	buf_init(&a->headers, MIB);
	buf_init(&a->body, LIMIT_FETCH);
	buf_init(&a->chain, MIB);
}

void
fetch_http_release(struct fetch_answer *a)
{
	buf_release(&a->headers);
	buf_release(&a->body);
	buf_release(&a->chain);
}

static int
take_end(const struct frame *f, struct fetch_answer *a, struct err *e)
{
	const struct cursor *c = &f->field[END_PEER];
	char shown[200];
	uint32_t status;

	if (!frame_u32(f, END_STATUS, &status))
		return err_set(e, ERR_CHILD, "the fetching process is broken");
	a->status = (long)status;
	(void)text_z(a->peer, sizeof(a->peer), c->buf, c->len);
	c = &f->field[END_ERROR];
	if (!frame_has(f, END_ERROR))
		return 0;
	return err_set(e, ERR_IO, "%s", text_z(shown, sizeof(shown), c->buf,
	    c->len));
}

static int
read_answer(struct fetch_http *f, struct fetch_answer *a, struct err *e)
{
	static uint8_t body[LIMIT_FRAME];
	struct frame fr;
	struct buf *to;
	uint8_t type;
	size_t n;
	int r;

	while ((r = proc_frame(&f->p, &type, body, sizeof(body), &n, e)) > 0) {
		if (!frame_parse(&fr, type, body, n))
			break;
		if (type == FRAME_END)
			return take_end(&fr, a, e);
		to = type == FRAME_HEADERS ? &a->headers :
		    type == FRAME_BODY ? &a->body :
		    type == FRAME_CHAIN ? &a->chain : NULL;
		if (to == NULL || !frame_has(&fr, PART_BYTES))
			break;
		buf_put(to, fr.field[PART_BYTES].buf,
		    fr.field[PART_BYTES].len);
	}
	return r < 0 ? r : err_set(e, ERR_CHILD,
	    "the fetching process was ended");
}

int
fetch_http_ask(struct fetch_http *f, const char *url, const char *json,
    struct fetch_answer *a, struct err *e)
{
	struct buf b;
	int r;

	buf_clear(&a->headers);
	buf_clear(&a->body);
	buf_clear(&a->chain);
	buf_init(&b, LIMIT_FRAME + FRAME_HEADER);
	frame_begin(&b, FRAME_ASK);
	frame_put_str(&b, ASK_URL, url);
	if (json != NULL)
		frame_put_str(&b, ASK_JSON, json);
	r = frame_send(&b, f->ask[1], e);
	buf_release(&b);
	if (r < 0)
		return r;
	f->p.deadline = clock_mono_ns() +
	    1000000000LL * (LIMIT_FETCH_SECONDS + 30);
	if ((r = read_answer(f, a, e)) >= 0 &&
	    (buf_failed(&a->headers) < 0 || buf_failed(&a->body) < 0 ||
	    buf_failed(&a->chain) < 0))
		r = err_set(e, ERR_LIMIT, "the answer is too long");
	return r;
}
