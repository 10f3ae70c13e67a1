#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fsio.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "base/version.h"
#include "collector/intake.h"
#include "collector/run.h"
#include "custody/digest.h"

/*
 * acquisition.json: everything that is known before the first byte is read;
 * completion.json: what it came to.  A fact that cannot be had is null.
 */
static void
put_clock(struct json_write *w, const char *key)
{
	struct clock_evidence c;
	char text[CLOCK_TEXT], number[32];

	clock_evidence(&c);
	json_key(w, key);
	json_begin_object(w);
	json_kstr(w, "utc", clock_rfc3339(text, c.real_ns, 9));
	(void)snprintf(number, sizeof(number), "%lld", (long long)c.mono_ns);
	json_kstr(w, "monotonic_ns", number);
	(void)snprintf(number, sizeof(number), "%lld", (long long)c.boot_ns);
	json_kstr(w, "boottime_ns", number);
	json_ki64(w, "adjtimex_state", c.state);
	json_ku64(w, "adjtimex_status", c.status);
	json_kbool(w, "synchronised", (c.status & 0x40) == 0);
	json_ki64(w, "offset_ns", c.offset_ns);
	json_ki64(w, "maxerror_us", c.maxerror_us);
	json_ki64(w, "esterror_us", c.esterror_us);
	json_ki64(w, "tai_offset", c.tai);
	json_end_object(w);
}

/* A small text file of the system, its last line feed dropped. */
static void
put_file(struct json_write *w, const char *key, const char *path)
{
	char text[512];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
	if (fd >= 0)
		(void)close(fd);
	if (n > 0 && text[n - 1] == '\n')
		n--;
	json_key(w, key);
	if (n >= 0)
		json_text(w, text, (size_t)n, TEXT_PLAIN);
	else
		json_null(w);
}

static void
put_host(struct json_write *w)
{
	struct utsname u;

	json_key(w, "host");
	json_begin_object(w);
	if (uname(&u) == 0) {
		json_ktext(w, "hostname", u.nodename, strlen(u.nodename));
		json_ktext(w, "kernel", u.release, strlen(u.release));
		json_ktext(w, "kernel_version", u.version, strlen(u.version));
		json_ktext(w, "architecture", u.machine, strlen(u.machine));
	}
	put_file(w, "machine_id", "/etc/machine-id");
	put_file(w, "boot_id", "/proc/sys/kernel/random/boot_id");
	put_file(w, "distribution", "/etc/debian_version");
	put_file(w, "cgroup", "/proc/self/cgroup");
	put_file(w, "security_label", "/proc/self/attr/current");
	json_ku64(w, "uid", getuid());
	json_ku64(w, "euid", geteuid());
	json_ku64(w, "gid", getgid());
	json_end_object(w);
}

static void
put_exe_digest(struct json_write *w)
{
	static uint8_t chunk[64 * KIB];
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct digest *d = digest_new(DIGEST_SHA256, NULL);
	struct digests out;
	ssize_t n = -1;

	json_key(w, "exe_sha256");
	while (fd >= 0 && d != NULL && (n = read(fd, chunk, sizeof(chunk))) >
	    0)
		(void)digest_put(d, chunk, (size_t)n, NULL);
	if (n == 0 && digest_now(d, &out, NULL) == 0)
		json_hex(w, out.sha256, 32);
	else
		json_null(w);
	digest_free(d);
	if (fd >= 0)
		(void)close(fd);
}

static void
put_tool(struct json_write *w, const struct collect *c)
{
	json_key(w, "tool");
	json_begin_object(w);
	json_kstr(w, "name", c->o->tool);
	json_kstr(w, "version", EXHIBIT_VERSION);
	put_exe_digest(w);
	json_key(w, "argv");
	json_begin_array(w);
	for (int i = 0; i < c->o->argc; i++)
		json_text(w, c->o->argv[i], strlen(c->o->argv[i]), TEXT_PLAIN);
	json_end_array(w);
	json_kstr(w, "resolution", c->how);
	json_kbool(w, "double_read", c->o->double_read);
	json_kstr(w, "spools", c->o->in_memory ? "memory alone" :
	    "unlinked temporary files");
	json_end_object(w);
}

/* Where a source lies: is its file system mounted read-only? */
static void
put_source(struct json_write *w, const struct collect_source *s)
{
	struct statvfs v;

	json_begin_object(w);
	facts_source(w, s);
	json_key(w, "mounted_read_only");
	if (!s->url && statvfs(s->path, &v) == 0)
		json_bool(w, (v.f_flag & ST_RDONLY) != 0);
	else
		json_null(w);
	json_end_object(w);
}

void
facts_ledger(struct json_write *w, const struct collect *c)
{
	json_key(w, "ledger_head");
	if (!c->o->has_head) {
		json_null(w);
		return;
	}
	json_begin_object(w);
	json_ku64(w, "size", c->o->head_size);
	json_khex(w, "root", c->o->head_root, 32);
	json_end_object(w);
}

void
facts_here(struct json_write *w, const struct collect *c)
{
	put_clock(w, "clock");
	put_host(w);
	put_tool(w, c);
}

int
facts_store(struct collect *c, const char *name, struct buf *b)
{
	int r;

	buf_putc(b, '\n');
	if ((r = buf_failed(b)) < 0)
		r = err_set(c->e, (enum err_code)r, "a record is too long");
	else
		r = evidence_tag(c->w, name, b->p, b->len, c->e);
	buf_release(b);
	return r;
}

int
facts_acquisition(struct collect *c)
{
	struct json_write w;
	struct buf b;

	buf_init(&b, 16 * MIB);
	json_init(&w, &b, JSON_PRETTY);
	json_begin_object(&w);
	json_kstr(&w, "format", BAG_FORMAT);
	json_kstr(&w, "bag", c->o->bag);
	json_kstr(&w, "case", c->o->case_id);
	json_key(&w, "examiner");
	json_begin_object(&w);
	json_ktext(&w, "name", c->o->examiner, strlen(c->o->examiner));
	if (c->o->cert_sha256 != NULL)
		json_khex(&w, "certificate_sha256", c->o->cert_sha256, 32);
	else
		json_knull(&w, "certificate_sha256");
	json_end_object(&w);
	json_key(&w, "purpose");
	if (c->o->purpose != NULL)
		json_text(&w, c->o->purpose, strlen(c->o->purpose),
		    TEXT_PLAIN);
	else
		json_null(&w);
	facts_scope(&w, c);
	facts_here(&w, c);
	json_key(&w, "sources");
	json_begin_array(&w);
	for (size_t i = 0; i < c->o->nsources; i++)
		put_source(&w, &c->o->sources[i]);
	json_end_array(&w);
	facts_ledger(&w, c);
	json_kstr(&w, "time_stamp", c->o->body ? "by the side that seals: "
	    "see transport.json" : c->o->local_tsa ? "by the local "
	    "authority in metadata/pki/tsa.pem: it proves nothing against "
	    "this machine's own root" : "by another authority, or none: see "
	    "container.json");
	json_end_object(&w);
	return facts_store(c, BAG_ACQUISITION, &b);
}

int
facts_completion(struct collect *c)
{
	const struct collect_totals *t = &c->totals;
	struct json_write w;
	struct buf b;

	buf_init(&b, 16 * MIB);
	json_init(&w, &b, JSON_PRETTY);
	json_begin_object(&w);
	json_ku64(&w, "objects", t->objects);
	json_ku64(&w, "stored", t->stored);
	json_ku64(&w, "bytes", t->bytes);
	json_ku64(&w, "errors", t->errors);
	json_ku64(&w, "changed_while_reading", t->changed);
	json_ku64(&w, "duplicates", t->duplicates);
	intake_facts(c->o->intake, &w);
	json_kstr(&w, "result", t->errors == 0 ? "complete" : "incomplete");
	scope_put_coverage(&w, c);
	json_ku64(&w, "duration_ns",
	    (uint64_t)(clock_mono_ns() - c->began_ns));
	put_clock(&w, "clock");
	json_end_object(&w);
	return facts_store(c, BAG_COMPLETION, &b);
}
